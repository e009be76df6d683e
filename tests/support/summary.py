"""Sums up the JUnit files of a folder: a line each, then `N passed, N failed, N skipped`. Exit code 1 on failures."""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(path):
    """(passed, failed, skipped) of one file; ctest writes one testsuite, pytest a list of them."""
    passed = failed = skipped = 0
    root = xml.parse(path).getroot()
    for suite in root.iter("testsuite"):
        def number(name):
            return int(suite.get(name) or 0)
        bad, out = number("failures") + number("errors"), number("skipped") + number("disabled")
        passed, failed, skipped = passed + number("tests") - bad - out, failed + bad, skipped + out
    return passed, failed, skipped


def words(counts):
    return "{} passed, {} failed, {} skipped".format(*counts)


def main(folder):
    total = (0, 0, 0)
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        counts = count(path)
        print(f"{path.stem:10} {words(counts)}")
        total = tuple(a + b for a, b in zip(total, counts))
    print(words(total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
