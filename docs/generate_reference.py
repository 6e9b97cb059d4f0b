"""Write the reference pages that are made from the code: `python docs/generate_reference.py`."""

# ruff: noqa: INP001 - a script beside the pages it writes

from pathlib import Path

from pytest_mqchaos.plan.render import pages

HERE = Path(__file__).parent / "reference"


def main() -> None:
    """Write every page whose text has changed."""
    for name, text in pages().items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
