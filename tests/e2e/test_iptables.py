"""weft-iptables against the kernel: real iptables, both backends and both families, in private network namespaces.

"pod" holds an application, a proxy's two ports and the rules; "peer" is the rest of the world. Probes say who was
reached, and what the proxy learns of the original destination.
"""
import contextlib
import json
import os
import pathlib
import re
import stat
import subprocess

import pytest

import iptables_probe as probe
import netns

PROXY = 1337
INGRESS, EGRESS, DNS = 15000, 15001, 15053
BASE = ["--ignore-uid", PROXY, "--egress-port", EGRESS]
INBOUND = [*BASE, "--ingress-port", INGRESS]
USUAL = [*INBOUND, "--app-ports", "8080"]

POD = {4: "10.77.0.1", 6: "fd77::1"}
PEER = {4: "10.77.0.2", 6: "fd77::2"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
FAR = {4: "10.88.1.2", 6: "fd88::2"}  # behind the peer, for lists of blocks
FAR_BLOCK = {4: "10.88.0.0/16", 6: "fd88::/16"}
METADATA = {4: ["169.254.170.2", "169.254.169.254"], 6: ["fd00:ec2::254"]}
PLAIN_IPTABLES = {4: "iptables", 6: "ip6tables"}

pytestmark = pytest.mark.usefixtures("namespaces")


class Pod:
    """The namespace with the rules, and how weft-iptables is run in it."""

    def __init__(self, ns, binary, backend):
        self.ns, self.binary, self.backend = ns, str(binary), backend

    def start(self, *args, env=None, uid=None, backend=True):
        args = [*args, "--backend", self.backend] if backend else args
        return self.ns.run(self.binary, *args, check=False, uid=uid, env={"PATH": "/usr/bin:/bin", **(env or {})})

    def apply(self, *args, **options):
        done = self.start(*args, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not re.search(r"\[(warning|error)\]", done.stderr), done.stderr
        return done

    def iptables(self, family, *args):
        return self.ns.run(f"{PLAIN_IPTABLES[family]}-{self.backend}", *args).stdout

    def table(self, family, table="nat"):
        return self.iptables(family, "-t", table, "-S").splitlines()

    def saved(self, *flags, backend=None):
        """Everything of both families, comments and counters of chains left out."""
        out = []
        for family in (4, 6):
            text = self.ns.run(f"{PLAIN_IPTABLES[family]}-{backend or self.backend}-save", *flags).stdout
            out += [f"family {family}", *(re.sub(r" \[\d+:\d+\]$", "", line) if not flags else line
                                          for line in text.splitlines() if not line.startswith("#"))]
        return out

    def routing(self):
        out = []
        for family in (4, 6):
            out += self.ns.run("ip", f"-{family}", "rule").stdout.splitlines()
            out += self.ns.run("ip", f"-{family}", "route", "show", "table", "all").stdout.splitlines()
        return sorted(line for line in out if "multicast" not in line)


def backend_missing(ns, backend):
    """Why a backend cannot be tested here; None when it can."""
    for tool in ("iptables", "ip6tables"):
        for table in ("nat", "mangle", "raw"):
            try:
                done = ns.run(f"{tool}-{backend}", "-t", table, "-S", check=False)
            except FileNotFoundError:
                return f"no nsenter for {tool}-{backend}"
            if done.returncode != 0:
                return f"{tool}-{backend} -t {table}: {done.stderr.strip()}"
    return None


@pytest.fixture(params=["nft", "legacy"])
def pod(request, iptables_binary):
    with netns.NetNs("pod") as ns:
        reason = backend_missing(ns, request.param)
        if reason:
            pytest.skip(reason)
        yield Pod(ns, iptables_binary, request.param)


@pytest.fixture
def peer(pod):
    """The other end; it also owns the far and the metadata addresses, which the pod routes to it."""
    with netns.NetNs("peer") as ns:
        netns.join(pod.ns, ns, "10.77.0", "fd77")
        for family in (4, 6):
            bits = 32 if family == 4 else 128
            ns.address("lo", *(f"{a}/{bits}" for a in [FAR[family], *METADATA[family]]))
            pod.ns.route("default", PEER[family])
        yield ns


@pytest.fixture
def servers():
    with contextlib.closing(probe.Servers()) as running:
        yield running


@pytest.fixture
def world(pod, peer, servers):
    """The usual servers: the proxy and the application in the pod, plain servers at the peer."""
    servers.add(pod.ns, "ingress", [INGRESS])
    servers.add(pod.ns, "egress", [EGRESS])
    servers.add(pod.ns, "app", [8080, 8081, 9000, 22])
    servers.add(peer, "direct", [22, 80, 2049, 3307, 9000])
    return peer


def reached(answer):
    return answer["label"], answer["original"]


both = pytest.mark.parametrize("family", [4, 6])


def expected_nat(family, with_ingress=True):
    """The whole of table nat as -S prints it, for USUAL."""
    loopback, guard = ("127.0.0.0/8", "127.0.0.6/32") if family == 4 else ("::1/128", "::6/128")
    rules = [f"-P {chain} ACCEPT" for chain in ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")]
    rules += ["-N APPMESH_EGRESS"]
    if with_ingress:
        rules += ["-N APPMESH_INGRESS",
                  "-A PREROUTING -p tcp -m addrtype ! --src-type LOCAL -j APPMESH_INGRESS",
                  "-A APPMESH_INGRESS -i lo -j RETURN",
                  f"-A APPMESH_INGRESS -s {guard} -j RETURN",
                  f"-A APPMESH_INGRESS -p tcp -m multiport --dports {INGRESS},{EGRESS} -j RETURN",
                  f"-A APPMESH_INGRESS -p tcp -m multiport --dports 8080 -j REDIRECT --to-ports {INGRESS}"]
    rules += ["-A OUTPUT -p tcp -m addrtype ! --dst-type LOCAL -j APPMESH_EGRESS",
              "-A APPMESH_EGRESS -o lo -j RETURN",
              f"-A APPMESH_EGRESS -d {loopback} -j RETURN",
              f"-A APPMESH_EGRESS -s {guard} -j RETURN",
              f"-A APPMESH_EGRESS -m owner --uid-owner {PROXY} -j RETURN",
              "-A APPMESH_EGRESS -p tcp -m multiport --dports 22 -j RETURN",
              *(f"-A APPMESH_EGRESS -d {a}/{32 if family == 4 else 128} -p tcp -j RETURN" for a in METADATA[family]),
              f"-A APPMESH_EGRESS -p tcp -j REDIRECT --to-ports {EGRESS}"]
    return rules


def assert_usual(pod, families=(4, 6)):
    for family in families:
        got, want = pod.table(family), expected_nat(family)
        assert sorted(got) == sorted(want)
        for chain in ("APPMESH_INGRESS", "APPMESH_EGRESS"):  # the order inside a chain is the meaning
            assert [r for r in got if r.startswith(f"-A {chain} ")] == \
                   [r for r in want if r.startswith(f"-A {chain} ")]


# --- what is installed ---------------------------------------------------------------------------------------------

def test_rules_of_both_families(pod):
    pod.apply(*USUAL)
    assert_usual(pod)


ENVIRONMENTS = {
    "App Mesh": {"APPMESH_START_ENABLED": "1", "APPMESH_ENABLE_IPV6": "1", "APPMESH_IGNORE_UID": "1337",
                 "APPMESH_ENVOY_INGRESS_PORT": "15000", "APPMESH_ENVOY_EGRESS_PORT": "15001",
                 "APPMESH_APP_PORTS": "8080", "APPMESH_EGRESS_IGNORED_IP": "169.254.169.254",
                 "APPMESH_EGRESS_IGNORED_PORTS": "22"},
    "ECS": {"IgnoredUID": "1337", "ProxyIngressPort": "15000", "ProxyEgressPort": "15001", "AppPorts": "8080",
            "EgressIgnoredIPs": "169.254.170.2,169.254.169.254", "EgressIgnoredPorts": ""},
}


@pytest.mark.parametrize("source", ENVIRONMENTS)
def test_environment(pod, source):
    pod.apply(env=ENVIRONMENTS[source])
    assert_usual(pod)


def test_ecs_properties_as_arguments(pod):
    pod.apply(*(f"{name}={value}" for name, value in ENVIRONMENTS["ECS"].items()))
    assert_usual(pod)


def test_start_enabled_0_touches_nothing(pod):
    before = pod.saved()
    done = pod.apply(env={**ENVIRONMENTS["App Mesh"], "APPMESH_START_ENABLED": "0"})
    assert "APPMESH_START_ENABLED is 0" in done.stderr
    assert pod.saved() == before


EVERYTHING = [*INBOUND, "--ignore-gid", 1338, "--app-ports", "*", "--ingress-ignored-ports", "9901", "--mode", "tproxy",
              "--self-calls", "proxy", "--dns-port", DNS, "--drop-invalid", "--exclude-interfaces", "eth9,tap+",
              "--egress-ignored-ports", "2049,3306:3310", "--egress-ignored-ips", "10.1.0.0/16,fd01::/16",
              "--egress-only-ips", "10.0.0.0/8,fd00::/8"]


def counted(saved):
    """Rules with their packet counters, from iptables-save -c; late packets of the kernel's own may raise these."""
    found = [re.match(r"\[(\d+):\d+\] (-A .*)", line) for line in saved]
    return [(m[2], int(m[1])) for m in found if m]


@pytest.mark.parametrize("args", [USUAL, EVERYTHING], ids=["usual", "everything"])
def test_second_run_changes_nothing(pod, world, args):
    pod.apply(*args)
    probe.dial(pod.ns, PEER[4], 9000)  # counters that a rewrite would reset
    probe.dial(pod.ns, PEER[6], 9000)
    before, routing = counted(pod.saved("-c")), pod.routing()
    assert sum(n for rule, n in before if re.match("-A APPMESH_EGRESS .*REDIRECT", rule)) == 2
    done = pod.apply(*args)
    after = counted(pod.saved("-c"))
    assert [rule for rule, _ in after] == [rule for rule, _ in before]
    assert all(now >= then for (_, now), (_, then) in zip(after, before))
    assert pod.routing() == routing
    assert done.stderr.count("rules=unchanged") == 2


@pytest.mark.parametrize("args", [USUAL, EVERYTHING], ids=["usual", "everything"])
def test_clean_leaves_the_initial_state(pod, peer, args):
    for family in (4, 6):
        far = FAR[family]
        for table in ("nat", "mangle", "raw"):
            pod.iptables(family, "-t", table, "-N", "SOMEBODY")
            pod.iptables(family, "-t", table, "-A", "OUTPUT", "-d", far, "-j", "SOMEBODY")
            pod.iptables(family, "-t", table, "-A", "PREROUTING", "-s", far, "-m", "comment", "--comment",
                         "not -j APPMESH_EGRESS", "-j", "ACCEPT")
    before, routing = pod.saved(), pod.routing()
    pod.apply(*args)
    assert pod.saved() != before
    pod.apply("--clean")
    assert pod.saved() == before
    assert pod.routing() == routing
    pod.apply("--clean")
    assert pod.saved() == before


def test_clean_finds_marks_and_tables_of_its_own(pod):
    routing = pod.routing()
    pod.apply(*USUAL, "--mode", "tproxy", "--tproxy-mark", "0x77", "--route-table", 4321)
    assert any("fwmark 0x77 lookup 4321" in line for line in pod.routing())
    pod.apply(*USUAL, "--mode", "tproxy")  # another mark and table
    assert not any("4321" in line for line in pod.routing())
    assert sum("lookup 15000" in line for line in pod.routing()) == 2
    pod.apply(*USUAL)  # another mode
    assert pod.routing() == routing
    assert_usual(pod)


def install_as_app_mesh(pod, family):
    """The rules App Mesh's CNI plugin makes."""
    def nat(*args):
        pod.iptables(family, "-t", "nat", *args)
    nat("-N", "APPMESH_INGRESS")
    nat(*"-A APPMESH_INGRESS -p tcp -m multiport --dports 8080 -j REDIRECT --to-port 15000".split())
    nat(*"-A PREROUTING -p tcp -m addrtype ! --src-type LOCAL -j APPMESH_INGRESS".split())
    nat("-N", "APPMESH_EGRESS")
    nat(*"-A APPMESH_EGRESS -m owner --uid-owner 1337 -j RETURN".split())
    nat(*"-A APPMESH_EGRESS -p tcp -m multiport --dports 22 -j RETURN".split())
    nat(*f"-A APPMESH_EGRESS -p tcp -d {METADATA[family][0]} -j RETURN".split())
    nat(*"-A APPMESH_EGRESS -p tcp -j REDIRECT --to 15001".split())
    nat(*"-A OUTPUT -p tcp -m addrtype ! --dst-type LOCAL -j APPMESH_EGRESS".split())


def make_double(pod, family):
    """A tool that is not idempotent ran twice."""
    install_as_app_mesh(pod, family)
    for chain, kind, target in (("PREROUTING", "--src-type", "APPMESH_INGRESS"),
                                ("OUTPUT", "--dst-type", "APPMESH_EGRESS")):
        pod.iptables(family, "-t", "nat", "-A", chain, "-p", "tcp", "-m", "addrtype", "!", kind, "LOCAL", "-j", target)


def make_half(pod, family):
    """A tool was stopped half-way."""
    pod.iptables(family, "-t", "nat", "-N", "APPMESH_EGRESS")
    pod.iptables(family, "-t", "nat", "-A", "OUTPUT", "-p", "tcp", "-j", "APPMESH_EGRESS")


def make_empty(pod, family):
    """Switched off by App Mesh's route manager: chains flushed, jumps there."""
    install_as_app_mesh(pod, family)
    pod.iptables(family, "-t", "nat", "-F", "APPMESH_EGRESS")
    pod.iptables(family, "-t", "nat", "-F", "APPMESH_INGRESS")


def make_chained(pod, family):
    """Somebody's own chain leads to ours."""
    pod.iptables(family, "-t", "nat", "-N", "APPMESH_SELF")
    pod.iptables(family, "-t", "nat", "-N", "APPMESH_EGRESS")
    pod.iptables(family, "-t", "nat", "-A", "APPMESH_EGRESS", "-j", "APPMESH_SELF")


def make_richer(pod, _family):
    pod.apply(*EVERYTHING)


EARLIER = [install_as_app_mesh, make_double, make_half, make_empty, make_chained, make_richer]


@pytest.mark.parametrize("earlier", EARLIER)
def test_convergence(pod, earlier):
    for family in (4, 6):
        earlier(pod, family)
    pod.apply(*USUAL)
    assert_usual(pod)
    for family in (4, 6):
        for table in ("mangle", "raw"):
            assert not any("APPMESH" in line for line in pod.table(family, table))


@pytest.mark.parametrize("earlier", EARLIER)
def test_clean_from_any_state(pod, earlier):
    for family in (4, 6):
        earlier(pod, family)
    pod.apply("--clean")
    assert not any("APPMESH" in line for line in pod.saved())


def test_runs_at_the_same_time(pod):
    args = [pod.binary, *USUAL, "--backend", pod.backend]
    running = [pod.ns.popen(*args, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    said = []
    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        said.append(err)
    assert "".join(said).count("rules=installed") == 2  # by whoever came first
    assert "".join(said).count("rules=unchanged") == 8
    assert_usual(pod)


# --- address families and backends ---------------------------------------------------------------------------------

def test_ipv6_off_removes_its_rules(pod):
    pod.apply(*USUAL)
    pod.apply(*USUAL, env={"APPMESH_ENABLE_IPV6": "0"})
    assert_usual(pod, [4])
    assert not any("APPMESH" in line for line in pod.table(6))


def test_ipv6_auto_follows_the_namespace(pod):
    pod.ns.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
    pod.apply(*USUAL)
    assert_usual(pod, [4])
    assert not any("APPMESH" in line for line in pod.table(6))
    pod.apply(*USUAL, "--ipv6", "on")
    assert_usual(pod)


def test_backend_in_use_is_found(pod):
    """Where our rules are under one backend, later runs stay with it, and clean it."""
    pod.apply(*USUAL)
    done = pod.apply(*USUAL, backend=False)
    assert done.stderr.count(f"backend={pod.backend} rules=unchanged") == 2
    pod.apply("--clean", backend=False)
    assert not any("APPMESH" in line for line in pod.saved())


def test_others_rules_decide_the_backend(pod):
    pod.iptables(4, "-t", "nat", "-A", "OUTPUT", "-d", "127.0.0.11", "-j", "ACCEPT")
    done = pod.apply(*USUAL, backend=False)
    assert done.stderr.count(f"backend={pod.backend} rules=installed") == 2


def test_rules_under_the_other_backend_are_removed(pod):
    other = "legacy" if pod.backend == "nft" else "nft"
    if backend_missing(pod.ns, other):
        pytest.skip("one backend only")
    pod.start(*USUAL, "--backend", other, backend=False)
    install_as_app_mesh(pod, 4)
    pod.apply(*USUAL, backend=False)
    assert_usual(Pod(pod.ns, pod.binary, "nft"))
    assert not any("APPMESH" in line for line in pod.saved(backend="legacy"))
    pod.apply("--clean", backend=False)
    assert not any("APPMESH" in line for line in pod.saved() + pod.saved(backend=other))


# --- failure ---------------------------------------------------------------------------------------------------------

@pytest.fixture
def broken_ip6tables(pod, tmp_path):
    """iptables by path, whose IPv6 half fails when it should change something."""
    for tool in ("iptables", "ip6tables"):
        for verb in ("save", "restore"):
            script = tmp_path / f"{tool}-{verb}"
            body = f'exec /usr/sbin/{tool}-{pod.backend}-{verb} "$@"'
            if (tool, verb) == ("ip6tables", "restore"):
                body = "cat >/dev/null; echo 'the kernel says no' >&2; exit 4"
            script.write_text(f"#!/bin/sh\n{body}\n")
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return tmp_path / "iptables"


@pytest.mark.parametrize("args", [USUAL, [*USUAL, "--mode", "tproxy"]], ids=["redirect", "tproxy"])
@pytest.mark.parametrize("earlier", [None, install_as_app_mesh, make_double])
def test_nothing_is_half_applied(pod, broken_ip6tables, earlier, args):
    for family in (4, 6):
        for table in ("nat", "mangle"):
            pod.iptables(family, "-t", table, "-A", "OUTPUT", "-d", FAR[family], "-j", "ACCEPT")
        if earlier is not None:
            earlier(pod, family)
        pod.iptables(family, "-t", "nat", "-A", "OUTPUT", "-d", PEER[family], "-j", "ACCEPT")
    before, routing = pod.saved(), pod.routing()
    done = pod.start(*args, "--iptables", broken_ip6tables, backend=False)
    assert done.returncode == 1
    assert "ip6tables-restore exited with 4: the kernel says no; the former rules are in place" in done.stderr
    assert pod.saved() == before
    assert pod.routing() == routing


def test_usage_errors_change_nothing_and_name_the_source(pod):
    before = pod.saved()
    for args, env, said in (([], {}, "IgnoredUID"),
                            (BASE, {"APPMESH_APP_PORTS": "80,x"}, 'APPMESH_APP_PORTS: "x" is not a port'),
                            (["--ignore-uid", "root"], {}, '--ignore-uid: "root" is not a numeric id'),
                            (["EgressIgnoredIPs=300.0.0.1"], {}, 'EgressIgnoredIPs: "300.0.0.1"'),
                            (["--egress-prot", "1"], {}, 'unknown flag "--egress-prot"')):
        done = pod.start(*args, env=env)
        assert done.returncode == 2
        assert said in done.stderr
    assert pod.saved() == before


def test_without_root_it_fails_and_says_why(pod):
    done = pod.start(*USUAL, uid=12345, backend=True)
    assert done.returncode == 1
    assert "rules cannot be read" in done.stderr


# --- dry run ---------------------------------------------------------------------------------------------------------

def test_dry_run_prints_what_would_be_fed(pod):
    before = pod.saved()
    shown = pod.apply(*USUAL, "--dry-run").stdout
    assert pod.saved() == before
    parts = re.split(r"^# (\S+) --noflush --wait 30\n", shown, flags=re.M)
    assert parts[0] == "" and len(parts) == 5
    for program, text in ((parts[1], parts[2]), (parts[3], parts[4])):
        pod.ns.run(program, "--noflush", input=text)
    assert_usual(pod)
    again = pod.apply(*USUAL, "--dry-run").stdout.splitlines()
    assert again == [f"# {f} ({pod.backend}): nothing to change" for f in ("ipv4", "ipv6")]


def test_dry_run_shows_ip_commands(pod):
    routing = pod.routing()
    shown = pod.apply(*USUAL, "--mode", "tproxy", "--dry-run").stdout.splitlines()
    assert shown[:4] == [f"ip -{family} {what}" for family in (4, 6)
                         for what in ("rule add fwmark 0x539 lookup 15000",
                                      "route add local default dev lo table 15000")]
    assert pod.routing() == routing


def test_dry_run_needs_no_root(pod):
    shown = pod.apply(*USUAL, "--dry-run", uid=12345).stdout
    assert "rules cannot be read, shown as for none" in shown
    assert f"-A APPMESH_EGRESS -p tcp -j REDIRECT --to-ports {EGRESS}" in shown


def test_help_and_version(iptables_binary):
    for flag, said in (("--help", "usage: weft-iptables"), ("--version", "weft-iptables ")):
        done = subprocess.run([iptables_binary, flag], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and done.stdout.startswith(said) and done.stderr == ""


# --- what happens to traffic: outbound -----------------------------------------------------------------------------

@both
def test_outbound_goes_to_the_proxy(pod, world, family):
    pod.apply(*USUAL)
    answer = probe.dial(pod.ns, PEER[family], 9000)
    assert reached(answer) == ("egress", [PEER[family], 9000])
    assert answer["peer"][0] == POD[family]


@both
def test_the_proxys_user_and_group_bypass(pod, world, family):
    pod.apply(*USUAL, "--ignore-gid", 4711)
    assert probe.dial(pod.ns, PEER[family], 9000, uid=PROXY)["label"] == "direct"
    assert probe.dial(pod.ns, PEER[family], 9000, gid=4711)["label"] == "direct"
    assert probe.dial(pod.ns, PEER[family], 9000, uid=1000, gid=1000)["label"] == "egress"


@both
def test_ignored_ports(pod, world, family):
    pod.apply(*USUAL, "--egress-ignored-ports", "2049,3306:3310")
    for port in (22, 2049, 3307):
        assert probe.dial(pod.ns, PEER[family], port)["label"] == "direct"
    assert reached(probe.dial(pod.ns, PEER[family], 80)) == ("egress", [PEER[family], 80])


@both
def test_ignored_addresses(pod, world, family):
    pod.apply(*USUAL, "--egress-ignored-ips", ",".join(FAR_BLOCK.values()))
    for address in (FAR[family], *METADATA[family]):
        assert probe.dial(pod.ns, address, 80)["label"] == "direct"
    assert probe.dial(pod.ns, PEER[family], 80)["label"] == "egress"


@both
def test_only_listed_addresses(pod, world, family):
    pod.apply(*USUAL, "--egress-only-ips", ",".join(FAR_BLOCK.values()))
    assert reached(probe.dial(pod.ns, FAR[family], 80)) == ("egress", [FAR[family], 80])
    assert probe.dial(pod.ns, PEER[family], 80)["label"] == "direct"


@both
def test_excluded_interface(pod, world, family):
    pod.apply(*USUAL, "--exclude-interfaces", "to-pe+")
    assert probe.dial(pod.ns, PEER[family], 80)["label"] == "direct"
    assert probe.dial(world, POD[family], 8080)["label"] == "app"


@both
def test_loopback_and_own_address_are_untouched(pod, world, family):
    pod.apply(*USUAL)
    for address in (LOOPBACK[family], POD[family]):
        for uid in (None, PROXY):
            answer = probe.dial(pod.ns, address, 8080, uid=uid)
            assert reached(answer)[0] == "app" and answer["local"] == [address, 8080]


# --- what happens to traffic: inbound ------------------------------------------------------------------------------

@both
def test_inbound_only_on_application_ports(pod, world, family):
    pod.apply(*USUAL)
    answer = probe.dial(world, POD[family], 8080)
    assert reached(answer) == ("ingress", [POD[family], 8080])
    assert answer["peer"][0] == PEER[family]
    for port in (22, 8081, 9000):
        assert probe.dial(world, POD[family], port)["label"] == "app"


@both
def test_forty_ports(pod, world, servers, family):
    ports = [7000 + 10 * i for i in range(40)]
    servers.add(pod.ns, "app", ports)
    pod.apply(*INBOUND, "--app-ports", ",".join(map(str, ports)))
    for port in ports:
        assert reached(probe.dial(world, POD[family], port)) == ("ingress", [POD[family], port])
    assert probe.dial(world, POD[family], 8080)["label"] == "app"


@both
def test_all_ports_but_listed(pod, world, family):
    pod.apply(*INBOUND, "--app-ports", "*", "--ingress-ignored-ports", "9000")
    for port in (8080, 8081, 5):
        assert reached(probe.dial(world, POD[family], port)) == ("ingress", [POD[family], port])
    for port in (22, 9000):
        assert probe.dial(world, POD[family], port)["label"] == "app"


@both
@pytest.mark.parametrize("mode", ["redirect", "tproxy"])
def test_the_proxys_own_ports_show_themselves(pod, world, family, mode):
    """A connection straight to the proxy carries the proxy's own address, so that it can be refused."""
    pod.apply(*INBOUND, "--app-ports", "*", "--mode", mode)
    for ns in (world, pod.ns):
        for port, label in ((INGRESS, "ingress"), (EGRESS, "egress")):
            answer = probe.dial(ns, POD[family], port)
            assert answer["label"] == label
            assert answer["local"] == [POD[family], port]
            assert answer["original"] in (None, [POD[family], port])


@both
def test_self_calls_through_the_inbound_listener(pod, world, family):
    guard = "127.0.0.6" if family == 4 else "::6"
    if family == 6:
        pod.ns.address("lo", "::6/128")
    pod.apply(*USUAL, "--self-calls", "proxy")
    assert reached(probe.dial(pod.ns, POD[family], 8080, uid=PROXY)) == ("ingress", [POD[family], 8080])
    # From there on to the application: by loopback, or passed through with the guard address.
    assert probe.dial(pod.ns, LOOPBACK[family], 8080, uid=PROXY)["label"] == "app"
    assert probe.dial(pod.ns, POD[family], 8080, uid=PROXY, source=guard)["label"] == "app"
    # Neither other ports nor the application's own calls.
    assert probe.dial(pod.ns, POD[family], 8081, uid=PROXY)["label"] == "app"
    assert probe.dial(pod.ns, POD[family], 8080)["label"] == "app"


# --- transparent mode ------------------------------------------------------------------------------------------------

@pytest.fixture
def transparent(pod, peer, servers):
    servers.add(pod.ns, "ingress", [INGRESS], transparent=True)
    servers.add(pod.ns, "egress", [EGRESS])
    servers.add(pod.ns, "app", [8080, 8081])
    servers.add(peer, "direct", [9000])
    pod.apply(*USUAL, "--mode", "tproxy")
    return peer


@both
def test_tproxy_keeps_both_addresses(pod, transparent, family):
    with transparent.inside():
        s = probe.connect(POD[family], 8080)
    with s:
        answer = probe.read_answer(s)
        assert answer["label"] == "ingress"
        assert answer["local"] == [POD[family], 8080]
        assert answer["peer"] == list(s.getsockname()[:2])
        for _ in range(20):  # an established connection
            s.sendall(b"x" * 4000)
            got = b""
            while len(got) < 4000:
                got += s.recv(4000)
    assert probe.dial(transparent, POD[family], 8081)["label"] == "app"
    divert = pod.iptables(family, "-t", "mangle", "-L", "APPMESH_DIVERT", "-v", "-x", "-n")
    assert int(divert.splitlines()[2].split()[0]) > 20


@both
def test_tproxy_leaves_outbound_as_it_is(pod, transparent, family):
    assert reached(probe.dial(pod.ns, PEER[family], 9000)) == ("egress", [PEER[family], 9000])
    assert probe.dial(pod.ns, PEER[family], 9000, uid=PROXY)["label"] == "direct"
    assert probe.dial(pod.ns, LOOPBACK[family], 8080)["label"] == "app"


def ask_as(source, address, port, mark):
    """As a proxy does that keeps the client's address towards the application."""
    with probe.socket.socket(probe.family_of(address), probe.socket.SOCK_STREAM) as s:
        s.settimeout(probe.TIMEOUT_S)
        probe.make_transparent(s)
        s.setsockopt(probe.socket.SOL_SOCKET, probe.socket.SO_MARK, mark)
        s.bind((source, 0))
        s.connect((address, port))
        answer = probe.read_answer(s)
        s.sendall(b"echo")
        assert s.recv(4) == b"echo"
        return json.dumps(answer)


@both
def test_tproxy_lets_the_application_see_the_client(pod, transparent, family):
    """At the host's own address: Linux answers nothing from 127.0.0.1 to a foreign address."""
    answer = json.loads(pod.ns.call(ask_as, PEER[family], POD[family], 8080, 1337))
    assert answer["label"] == "app" and answer["peer"][0] == PEER[family]


# --- the rest --------------------------------------------------------------------------------------------------------

@both
def test_established_connections_survive_changes(pod, world, family):
    pod.apply(*USUAL)
    with pod.ns.inside():
        out = probe.connect(PEER[family], 9000)
    with world.inside():
        into = probe.connect(POD[family], 8080)
    with out, into:
        assert probe.read_answer(out)["label"] == "egress"
        assert probe.read_answer(into)["label"] == "ingress"
        rich = [*INBOUND, "--app-ports", "*", "--self-calls", "proxy", "--dns-port", DNS, "--drop-invalid"]
        for args in ([*USUAL, "--egress-ignored-ports", "9000"], BASE, rich, USUAL, BASE):
            pod.apply(*args)
            for s in (out, into):
                s.sendall(b"still here")
                assert s.recv(64) == b"still here"


@both
def test_after_cleaning_nothing_is_redirected(pod, world, family):
    pod.apply(*EVERYTHING)
    pod.apply("--clean")
    assert reached(probe.dial(pod.ns, PEER[family], 9000))[0] == "direct"
    assert reached(probe.dial(world, POD[family], 8080))[0] == "app"


def packets(pod, family, chain, target):
    for line in pod.iptables(family, "-t", "mangle", "-L", chain, "-v", "-x", "-n").splitlines()[2:]:
        words = line.split()
        if words[2] == target:
            return int(words[0])
    raise AssertionError(f"no {target} in {chain}")


@both
def test_drop_invalid(pod, world, family):
    pod.apply(*USUAL, "--drop-invalid")
    assert packets(pod, family, "APPMESH_INVALID", "DROP") == 0
    world.call(probe.send_impossible_segment, PEER[family], POD[family], 8080)
    assert probe.dial(world, POD[family], 8080)["label"] == "ingress"
    assert packets(pod, family, "APPMESH_INVALID", "DROP") == 1


@both
def test_dns_capture(pod, world, servers, family):
    servers.add_udp(pod.ns, "proxy-dns", DNS, LOOPBACK.values())
    servers.add(pod.ns, "proxy-dns", [DNS], LOOPBACK.values())
    servers.add_udp(world, "real-dns", 53, [PEER[family]])
    servers.add(world, "real-dns", [53])
    pod.iptables(family, "-t", "nat", "-A", "OUTPUT", "-p", "udp", "--dport", "53", "-j", "ACCEPT")
    pod.apply(*USUAL, "--dns-port", DNS)
    assert probe.dial_udp(pod.ns, PEER[family], 53)["label"] == "proxy-dns"
    assert probe.dial(pod.ns, PEER[family], 53)["label"] == "proxy-dns"
    assert probe.dial_udp(pod.ns, PEER[family], 53, uid=PROXY)["label"] == "real-dns"
    assert probe.dial(pod.ns, PEER[family], 53, uid=PROXY)["label"] == "real-dns"
    # The proxy's query from a port the application has just used must not come back to the proxy.
    assert probe.dial_udp(pod.ns, PEER[family], 53, source_port=4444)["label"] == "proxy-dns"
    assert probe.dial_udp(pod.ns, PEER[family], 53, source_port=4444, uid=PROXY)["label"] == "real-dns"
    assert probe.dial_udp(pod.ns, PEER[family], 53, source_port=4444)["label"] == "proxy-dns"


def test_every_rule_set_is_printed_back_as_it_was_fed(pod):
    """Every golden rule set is one that this iptables prints in the same form: or else no run would be a no-op."""
    golden = pathlib.Path(__file__).resolve().parents[1] / "unit/iptables/golden"
    files = sorted(golden.glob("*.txt"))
    assert len(files) > 10
    for path in files:
        wanted = path.read_text()
        v4, v6 = wanted.removeprefix("# ipv4\n").split("# ipv6\n")
        for family, text in ((4, v4), (6, v6)):
            with netns.NetNs("plain") as ns:
                tool = f"{PLAIN_IPTABLES[family]}-{pod.backend}"
                ns.run(f"{tool}-restore", "--noflush", input=text)
                printed = ns.run(f"{tool}-save").stdout.splitlines()
                fed = [re.sub(r"^-I (\S+) \d+ ", r"-A \1 ", line) for line in text.splitlines()]
                for line in fed:
                    assert line.startswith(("*", ":")) or line in printed, f"{path.name}: {line}"
