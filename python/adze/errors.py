"""What calls fail with: one exception class for each class of status."""


class AdzeError(Exception):
    """Base of all. `code` is the class (the tool's exit code), `id` the stable
    identifier ("ADZ0705"), `hint` the next step or ""."""

    code = 70

    def __init__(self, message, id="", hint=""):
        self.message = message
        self.id = id
        self.hint = hint
        text = f"[{id}] {message}" if id else message
        super().__init__(f"{text}\n  help: {hint}" if hint else text)


class InvalidInput(AdzeError, ValueError):
    """An input, name or file is not what the model takes."""

    code = 1


class UsageError(AdzeError):
    """The API was called wrongly."""

    code = 2


class UnsupportedError(AdzeError):
    """The runtime cannot do this."""

    code = 3


class CheckError(AdzeError):
    """The PTX emulator found an error in a kernel."""

    code = 4


class ArtifactError(AdzeError):
    """The artifact is damaged, or was made for another machine."""

    code = 6


class ResourceError(AdzeError, MemoryError):
    """Out of memory, threads or file descriptors."""

    code = 7


class DeviceError(AdzeError):
    """A device or driver is missing or failed."""

    code = 8


class InternalError(AdzeError):
    """A bug in adze."""

    code = 70


class Cancelled(AdzeError):
    """The run was cancelled or ran past its timeout."""

    code = 130


BY_CODE = {
    c.code: c
    for c in (
        InvalidInput,
        UsageError,
        UnsupportedError,
        CheckError,
        ArtifactError,
        ResourceError,
        DeviceError,
        InternalError,
        Cancelled,
    )
}
