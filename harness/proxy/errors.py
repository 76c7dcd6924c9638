"""What the control API answers when it cannot do what it was asked: Toxiproxy's table and words."""


class ApiError(Exception):
    """An answer with a status of its own and the body ``{"error": ..., "status": ...}``."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message, self.status = message, status

    def because(self, detail: object) -> "ApiError":
        """The same error, with what was expected or seen."""
        return ApiError(f"{self.message}: {detail}", self.status)


BAD_BODY = ApiError("bad request body", 400)
MISSING_FIELD = ApiError("missing required field", 400)
BAD_STREAM = ApiError("stream was invalid, can be either upstream or downstream", 400)
BAD_TOXIC_TYPE = ApiError("invalid toxic type", 400)
PROXY_NOT_FOUND = ApiError("proxy not found", 404)
TOXIC_NOT_FOUND = ApiError("toxic not found", 404)
PROXY_EXISTS = ApiError("proxy already exists", 409)
TOXIC_EXISTS = ApiError("toxic already exists", 409)
