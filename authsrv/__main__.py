"""`authsrv` and `python -m authsrv`."""

from authsrv.operations.commands import cli


def main() -> None:
    """The command line; see `authsrv --help`."""
    cli()


if __name__ == "__main__":
    main()
