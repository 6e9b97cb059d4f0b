"""What mutmut left behind in a copy of the tree: every mutant with its end and its difference.

Run inside the copy (mutmut reads its configuration from where it stands); prints JSON lines.
"""

from __future__ import annotations

import json
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

PACKAGE = "pytest_mqchaos"


def changed(diff: str) -> str:
    """The changed lines of a difference in one line: `before -> after`."""
    lines = diff.splitlines()[2:]
    gone = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    come = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return f"{gone} -> {come}"


def told(path: Path, name: str, code: int | None) -> dict[str, str]:
    """One mutant; its difference only if no test noticed it (reading one is slow)."""
    end = status_by_exit_code[code]
    inside = path.parts[path.parts.index(PACKAGE) + 2 :]  # of its room
    row = {"file": "/".join(inside), "name": name, "end": end}
    if end != "killed":
        function, owner = orig_function_and_class_names_from_key(name)
        row["function"] = f"{owner}.{function}" if owner else function
        row["change"] = changed(get_diff_for_mutant(name, path=path))
    return row


def main() -> None:
    """Tell of every mutant, one JSON line each."""
    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            print(json.dumps(told(path, name, code)))


if __name__ == "__main__":
    main()
