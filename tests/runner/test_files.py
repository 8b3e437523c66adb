"""What was reviewed is what runs: files that env.py and the revisions read."""

from __future__ import annotations

import hashlib
import os
import py_compile
import re
from pathlib import Path

import pytest
from runner_chain import Files
from sqlalchemy.engine import URL
from support import Chain, revisions, run, tables

READ = 'op.execute((Path(__file__).parent / "two.sql").read_text())'
IMPORTS = "from pathlib import Path\n"
UNREVIEWED = "alembic/versions/two.py reads alembic/versions/two.sql, which is not in the lockfile. Lock the"


@pytest.fixture
def read(chain: Chain) -> Chain:
    """Return two revisions; the second one reads a file beside it, and imports a module that env.py imports, too."""
    write(chain, "alembic/versions/two.sql", "CREATE TABLE two ()")
    write(chain, "alembic/tools.py", "NAME = 'three'\n")
    env = chain.folder / "alembic" / "env.py"
    env.write_text("import sys\nsys.path.append('alembic')\nimport tools\n" + env.read_text(encoding="utf-8"))
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    imported = f'{READ}\nimport tools\nop.execute(f"CREATE TABLE {{tools.NAME}} ()")'
    chain.add("two", imported, more=IMPORTS, downgrade='op.execute("DROP TABLE two, three")')
    for file in ("alembic/env.py", "alembic/tools.py"):
        chain.files[file] = sha256(chain, file)
    chain.entries[1]["files"]["alembic/versions/two.sql"] = sha256(chain, "alembic/versions/two.sql")
    chain.review()
    return chain


def write(chain: Chain, file: str, text: str) -> Path:
    path = chain.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def sha256(chain: Chain, file: str) -> str:
    return hashlib.sha256((chain.folder / file).read_bytes()).hexdigest()


def test_reviewed_files_run(read: Chain, database: URL) -> None:
    result = run("upgrade", read, database)
    assert result.code == 0, result.output
    assert tables(database) == {"alembic_version", "one", "two", "three"}
    result = run("downgrade", read, database, "--target=one")
    assert result.code == 0, result.output


@pytest.mark.parametrize("mode", ["upgrade", "wait"])
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("alembic/versions/two.sql", "alembic/versions/two.sql of revision two"),
        ("alembic/env.py", "alembic/env.py"),
        ("alembic/tools.py", "alembic/tools.py"),
    ],
)
def test_changed_file_changes_nothing(read: Chain, database: URL, mode: str, file: str, name: str) -> None:
    path = read.folder / file
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    result = run(mode, read, database)
    assert result.code == 1
    assert f"{name} differs between the image and the lockfile. Rebuild the image" in result.output
    path.unlink()
    assert f"{name} is missing from the image. Rebuild the image" in run(mode, read, database).output
    assert tables(database) == set()


def test_other_env_py_of_the_configuration_is_rejected(read: Chain, database: URL) -> None:
    (read.folder / "other").mkdir()
    (read.folder / "other" / "env.py").write_bytes((read.folder / "alembic" / "env.py").read_bytes())
    ini = read.folder / "alembic.ini"
    text = re.sub("(?m)^script_location = .*", "script_location = other", ini.read_text(encoding="utf-8"))
    ini.write_text(text.replace("[alembic]", "[alembic]\nversion_locations = alembic/versions"), encoding="utf-8")
    result = run("upgrade", read, database)
    assert result.code == 1
    assert "other/env.py of the image is not in the lockfile. Rebuild the image" in result.output
    assert tables(database) == set()


def test_unreviewed_file_stops_its_revision(read: Chain, database: URL) -> None:
    del read.entries[1]["files"]["alembic/versions/two.sql"]
    read.review()
    result = run("upgrade", read, database)
    assert result.code == 1
    assert "Revision two (Title of two) failed and was rolled back." in result.output
    assert f"{UNREVIEWED} chain again. If it is still missing then, rendering stops before" in result.output
    assert tables(database) == {"alembic_version", "one"}
    assert revisions(database) == {"one"}


READS = {
    "open": 'open("alembic/extra.sql").read()',
    "os.open": 'os.read(os.open("alembic/extra.sql", os.O_RDONLY), 99).decode()',
    "a symbolic link": 'open("linked/extra.sql").read()',
    "pkgutil": 'pkgutil.get_data("tools", "extra.sql").decode()',
    "a directory's descriptor": 'os.read(os.open("extra.sql", os.O_RDONLY, dir_fd=os.open("alembic", 0)), 99).decode()',
    "a folder of bytecode": 'open("alembic/__pycache__/extra.sql").read()',
    "a thread": 'futures.ThreadPoolExecutor().submit(Path("alembic/extra.sql").read_text).result()',
    "an import": '[importlib.import_module("extra"), "SELECT 1"][1]',
    "runpy": '[runpy.run_path("alembic/extra.py"), "SELECT 1"][1]',
}


@pytest.mark.parametrize("how", READS)
def test_unreviewed_file_stops_a_revision_that_catches_the_error(read: Chain, database: URL, how: str) -> None:
    (read.folder / "linked").symlink_to("alembic")
    write(read, "alembic/extra.sql", "CREATE TABLE unreviewed ()")
    write(read, "alembic/__pycache__/extra.sql", "CREATE TABLE unreviewed ()")
    write(read, "alembic/extra.py", "")
    caught = f"try:\n    op.execute({READS[how]})\nexcept BaseException:\n    op.execute('CREATE TABLE other ()')"
    read.add("three", caught, more=f"{IMPORTS}import importlib, os, pkgutil, runpy\nfrom concurrent import futures\n")
    result = run("upgrade", read, database)
    assert result.code == 1
    assert "Revision three (Title of three) failed and was rolled back." in result.output
    assert re.search(r"alembic/versions/three\.py reads alembic/(__pycache__/)?extra", result.output)
    assert revisions(database) == {"two"}
    assert tables(database) & {"unreviewed", "other"} == set()


@pytest.mark.parametrize("caught", [False, True], ids=["raised", "caught"])
def test_unreviewed_file_of_a_module_stops_before_any_change(read: Chain, database: URL, caught: bool) -> None:
    text = 'SQL = open("alembic/versions/three.sql").read()\n'
    text = f"try:\n    {text}except BaseException:\n    pass\n" if caught else text
    write(read, "alembic/versions/three.sql", "CREATE TABLE unreviewed ()")
    read.add("three", "op.execute(SQL)", more=text)
    result = run("upgrade", read, database)
    assert result.code == 1
    assert "alembic/versions/three.py reads alembic/versions/three.sql, which is not in the lockfile" in result.output
    assert tables(database) == set()


def test_files_outside_of_the_script_folder_and_written_files_are_free(read: Chain, database: URL) -> None:
    write(read, "data.sql", "CREATE TABLE four ()")
    body = 'op.execute(open("data.sql").read())\nopen("alembic/log", "w").write("done")\nos.listdir("alembic")'
    read.add("three", body, more="import os\n")
    result = run("upgrade", read, database)
    assert result.code == 0, result.output


def test_variables_of_dotenv_are_free_for_settings_only(read: Chain, database: URL) -> None:
    write(read, "alembic/.env", "NAME=four")
    write(read, "alembic/settings.py", "NAME = open('alembic/.env').read().partition('=')[2]")
    read.files["alembic/settings.py"] = sha256(read, "alembic/settings.py")
    read.add("three", 'import settings\nop.execute(f"CREATE TABLE {settings.NAME} ()")')
    assert run("upgrade", read, database).code == 0
    read.add("last", "open('alembic/.env').close()")
    assert "alembic/versions/last.py reads alembic/.env, which is not in" in run("upgrade", read, database).output


@pytest.mark.parametrize(
    ("file", "output"),
    [
        ("data/more.sql", "Database is up to date (head two)"),
        ("versions/more.sql", "versions/two.py reads versions/more.sql, which is not in the lockfile"),
    ],
)
def test_app_folder_as_script_folder_is_closed_below_versions(
    read: Chain, database: URL, file: str, output: str
) -> None:
    root = read.folder
    for path in (root / "alembic").iterdir():
        path.rename(root / path.name)
    ini, env, revision = root / "alembic.ini", root / "env.py", root / "versions" / "two.py"
    ini.write_text(re.sub("(?m)^script_location = .*", "script_location = .", ini.read_text(encoding="utf-8")))
    env.write_text(env.read_text(encoding="utf-8").replace("append('alembic')", "append('.')"), encoding="utf-8")
    write(read, file, "CREATE TABLE more ()")
    text = revision.read_text(encoding="utf-8")
    body = f'def upgrade():\n    op.execute(open("{file}").read())'
    revision.write_text(text.replace("def upgrade():", body), encoding="utf-8")
    for entry in read.entries:
        names = [name.replace("alembic/", "") for name in entry["files"]]
        entry["files"] = {name: sha256(read, name) for name in names}
    read.files = {name: sha256(read, name) for name in ("env.py", "tools.py")}
    read.review()
    assert output in run("upgrade", read, database).output


def test_files_of_an_older_image_are_not_compared(read: Chain, database: URL) -> None:
    read.files.clear()
    del read.entries[1]["files"]["alembic/versions/two.sql"]
    read.review()
    result = run("upgrade", read, database)
    assert result.code == 0, result.output


def compile_other(path: Path, text: str) -> None:
    """Leave bytecode of another text of the same length, which Python takes for that of the file."""
    reviewed = path.read_text(encoding="utf-8")
    assert len(text) == len(reviewed)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (0, 0))
    py_compile.compile(str(path))
    path.write_text(reviewed, encoding="utf-8")
    os.utime(path, (0, 0))


def test_bytecode_of_another_source_does_not_run(read: Chain, database: URL) -> None:
    compile_other(read.folder / "alembic/tools.py", "NAME = 'other'\n")
    revision = read.folder / read.file(0)
    compile_other(revision, revision.read_text(encoding="utf-8").replace("TABLE one", "TABLE bad"))
    env = read.folder / "alembic/env.py"
    compile_other(env, env.read_text(encoding="utf-8").replace("import tools", "import toolz"))
    result = run("upgrade", read, database)
    assert result.code == 0, result.output
    assert tables(database) == {"alembic_version", "one", "two", "three"}


@pytest.mark.parametrize("importer", ["alembic/env.py", "alembic/versions/three.py"])
def test_bytecode_without_a_source_is_rejected(read: Chain, database: URL, importer: str) -> None:
    source = write(read, "alembic/extra.py", "")
    py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc")))
    source.unlink()
    if importer == "alembic/env.py":
        env = read.folder / importer
        env.write_text(env.read_text(encoding="utf-8") + "\nimport extra\n", encoding="utf-8")
        read.files[importer] = sha256(read, importer)
        read.review()
    else:
        read.add("three", "import extra")
    result = run("upgrade", read, database)
    assert result.code == 1
    assert (
        "alembic/extra.pyc is bytecode without its source, which can't be reviewed. Add alembic/extra.py"
        in result.output
    )
    assert "three" not in revisions(database)


def test_bytecode_counts_as_its_source(read: Chain, database: URL) -> None:
    py_compile.compile(str(read.folder / "alembic" / "tools.py"))
    assert run("upgrade", read, database).code == 0
    py_compile.compile(str(write(read, "alembic/extra.py", "")))
    read.add("three", "import extra")
    result = run("upgrade", read, database)
    assert "alembic/versions/three.py reads alembic/extra.py, which is not in the lockfile" in result.output


def test_reviewed_file_is_found_by_any_path_that_leads_to_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for path in (tmp_path / "real" / "a.sql", tmp_path / "b.sql"):
        path.touch()
    (tmp_path / "real" / "inner").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "inner")
    (tmp_path / "c.sql").symlink_to(tmp_path / "real" / "a.sql")
    reviewed = Files([tmp_path / "c.sql"])
    # `..` after a link leads to the folder of its target, where the name of a reviewed file says nothing.
    paths = ["c.sql", "real/a.sql", "link/../a.sql", "b.sql", "real/inner", "link/../c.sql"]
    assert [path for path in paths if f"{tmp_path}/{path}" in reviewed] == ["c.sql", "real/a.sql", "link/../a.sql"]
