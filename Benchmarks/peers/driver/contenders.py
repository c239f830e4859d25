"""Who takes part, what each needs, and how it is built; all of it lands in perf/out/peers and stays there."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
OUT = ROOT / "perf" / "out" / "peers"

APT = ["libabsl-dev", "libboost-dev", "rapidjson-dev", "libjemalloc-dev", "lld"]
# Source packages of PyPI that carry the C and C++ of others, and where it lies in them.
SOURCES = {"simdjson": ("pysimdjson", "7.0.2", "simdjson"), "yyjson": ("yyjson", "4.0.6", "yyjson")}
PYTHON = {
    "dict-bisect": None,
    "sortedcontainers": "sortedcontainers==2.4.0",
    "order-book": "order-book==0.6.1",
    "python-binance": "python-binance==1.0.37",
    "ccxt": "ccxt==4.5.90",
    "nautilus_trader": "nautilus_trader==1.221.0",
}
JSON_OF_PYTHON = "orjson==3.13.0"
CXX_FLAGS = ["-std=c++20", "-O3", "-march=native", "-flto"]
# One is faster for trees of nodes, the other for B-trees: all programs are built by both, and the faster of
# the two takes part, set by set. clang comes with the Swift toolchain and needs lld to link so.
COMPILERS = {"clang": ("clang", "clang++", ["-fuse-ld=lld"]), "gcc": ("gcc", "g++", [])}
RUST_FLAGS = ["--edition", "2021", "-C", "opt-level=3", "-C", "target-cpu=native", "-C", "lto=fat",
              "-C", "codegen-units=1", "-C", "panic=abort"]
JAVA_FLAGS = ["-XX:+UseSerialGC", "-Xms512m", "-Xmx512m", "-XX:-UsePerfData"]

# Named in the tables, but not measured, and why.
LEFT_OUT = {
    "hftbacktest": "its package replays arrays of events in a back-test, no call gives its book an update",
}


@dataclass
class Contender:
    name: str
    command: list
    isInterpreted: bool = False
    missing: str = ""
    settings: str = ""
    # Other programs of the same contender, of which the fastest takes part.
    alternatives: list = field(default_factory=list)


def say(text):
    print(text, file=sys.stderr, flush=True)


def call(command, **options):
    """Runs a command; its last words, if it failed."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines() or ["it failed"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])[:200]


def isOlder(target, *sources):
    return not target.exists() or any(source.stat().st_mtime > target.stat().st_mtime for source in sources)


def installApt():
    missing = [name for name in APT if subprocess.run(["dpkg", "-s", name], capture_output=True).returncode]
    if not missing:
        return
    say(f"installing {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    reason = call(["apt-get", "install", "-y", "-qq", *missing], env=environment)
    if reason:
        call(["apt-get", "update", "-qq"])
        reason = call(["apt-get", "install", "-y", "-qq", *missing], env=environment)
    if reason:
        say(f"apt-get: {reason}")


def debianVersions():
    found = [firstLine(["dpkg-query", "-W", "-f", "${Package} ${Version}", name]) for name in APT]
    return [version for version in found if version]


def source(name):
    """The folder with the C or C++ of a library, from the source package that carries it."""
    package, version, inside = SOURCES[name]
    folder = OUT / "sources" / f"{package}-{version}"
    if not folder.exists():
        say(f"fetching {package} {version}")
        target = OUT / "sources"
        call([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:",
              f"{package}=={version}", "-d", target])
        reason = call(["tar", "xzf", target / f"{package}-{version}.tar.gz", "-C", target])
        if reason:
            say(f"{package}: {reason}")
    return folder / inside


def buildCxx(parser, compiler):
    """Builds the program of one parser with all books; a reason if it cannot."""
    cc, cxx, linking = COMPILERS[compiler]
    program, file = OUT / "bin" / f"{parser}-{compiler}", HERE / "cpp" / f"{parser}_peer.cpp"
    includes, extra = ["-I", HERE / "cpp"], []
    if parser in SOURCES:
        folder = source(parser)
        includes += ["-I", folder]
        extra = [folder / "simdjson.cpp"] if parser == "simdjson" else [OUT / "bin" / f"yyjson-{compiler}.o"]
    if not isOlder(program, file, *(HERE / "cpp").glob("*.hpp")):
        return program, ""
    say(f"building {parser} with {cxx}")
    if parser == "yyjson":
        reason = call([cc, *CXX_FLAGS[1:], "-c", folder / "yyjson.c", "-o", extra[0]])
        if reason:
            return program, reason
    libraries = ["-labsl_throw_delegate", "-labsl_raw_logging_internal", "-ljemalloc"]
    return program, call([cxx, *CXX_FLAGS, *linking, *includes, file, *extra, "-o", program, *libraries])


def buildRust():
    program, file = OUT / "bin" / "rust", HERE / "rust" / "peer.rs"
    if not isOlder(program, file):
        return program, ""
    say("building rust")
    return program, call(["rustc", *RUST_FLAGS, "-o", program, file])


def buildJava():
    folder, file = OUT / "bin" / "java", HERE / "java" / "Peer.java"
    if not isOlder(folder / "Peer.class", file):
        return folder, ""
    say("building java")
    return folder, call(["javac", "-d", folder, file])


def installPython(package):
    """Installs one package into the virtual environment; a reason if that fails."""
    python, mark = OUT / "venv" / "bin" / "python", OUT / "venv" / f"{package}.installed"
    if not python.exists():
        reason = call([sys.executable, "-m", "venv", OUT / "venv"])
        if reason:
            return reason
    if mark.exists():
        return ""
    say(f"installing {package}")
    reason = call([python, "-m", "pip", "install", "-q", "--only-binary", ":all:", package])
    if not reason:
        mark.touch()
    return reason


def firstLine(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[0].split(" (http")[0]
    except (OSError, IndexError):
        return ""


def engine(bench, plant=0):
    name = f"planted {plant:g} %" if plant else "Local Order Book"
    return Contender(name, [bench, *(["--plant", str(plant)] if plant else []), "--peer"],
                     settings="swift build -c release")


def all(isQuick):
    """Everybody but the engine; who cannot take part has a reason in `missing`."""
    (OUT / "bin").mkdir(parents=True, exist_ok=True)
    installApt()
    found = []
    settings = " or ".join(firstLine([cxx, "--version"]) for _, cxx, _ in COMPILERS.values())
    settings += f", {' '.join(CXX_FLAGS[1:])}, {', '.join(debianVersions())}"
    owners = {"btree_map": "absl::btree_map", "map": "std::map", "flat_map": "boost flat_map"}
    parsers = {"simdjson": list(owners), "yyjson": ["btree_map"], "rapidjson": ["btree_map"]}
    for parser, books in parsers.items():
        built = [buildCxx(parser, compiler) for compiler in COMPILERS]
        programs = [program for program, reason in built if not reason]
        for book in books:
            commands = [[program, book] for program in programs]
            found.append(Contender(f"{parser} + {owners[book]}", commands[0] if commands else [],
                                   missing="" if commands else built[0][1], settings=settings,
                                   alternatives=commands))
    program, reason = buildRust()
    found.append(Contender("Rust BTreeMap", [program], missing=reason,
                           settings=f"{firstLine(['rustc', '--version'])}, -O3, native, LTO, hand parser"))
    folder, reason = buildJava()
    found.append(Contender("Java TreeMap", ["java", *JAVA_FLAGS, "-cp", folder, "Peer"], missing=reason,
                           settings=f"{firstLine(['java', '--version'])}, serial collector of 512 MB"))
    json = installPython(JSON_OF_PYTHON)
    python = OUT / "venv" / "bin" / "python"
    for name, package in PYTHON.items():
        if isQuick and name == "nautilus_trader":
            continue
        reason = json or (installPython(package) if package else "")
        label = "dict + bisect" if name == "dict-bisect" else name
        found.append(Contender(f"Python {label}", [python, HERE / "python" / "peer.py", name], True, reason,
                               f"{firstLine([str(python), '--version'])}, {JSON_OF_PYTHON}"))
    return found
