"""The one exception of the package."""


class Error(RuntimeError):
    """What went wrong, in a sentence that begins with a stable code TSH-nnnn where the runtime or compiler has one.

    status: the runtime's status code, or the compiler's exit code negated.
    port, axis: the input or output meant, and its axis; -1 when there is none.
    needed: the bytes a run needs, when it was refused for memory.
    """

    def __init__(self, message, status=0, port=-1, axis=-1, needed=0):
        super().__init__(message)
        self.status = status
        self.port = port
        self.axis = axis
        self.needed = needed
