"""Bearer tokens: who a client is and which run it joined, signed with the stage's secret (JWT, HS256)."""

from collections.abc import Callable

from msgspec import Struct

from webnn.errors import Unauthorized

ALGORITHM = "HS256"
LIFETIME_SECONDS = 24 * 3600


class Member(Struct, frozen=True):
    """A client of a run."""

    run: str
    client_id: str


class Tokens:
    """Signs and checks tokens."""

    def __init__(self, secret: str, clock: Callable[[], int]) -> None:
        """Takes the stage's secret (at least 32 bytes) and a clock (milliseconds since 1970)."""
        self._secret = secret
        self._clock = clock

    def issue(self, member: Member) -> str:
        """A token that proves the membership for `LIFETIME_SECONDS`."""
        import jwt  # noqa: PLC0415  # brings HTTP and TLS along, for nothing of ours: see webnn.wiring.services

        expires = self._clock() // 1000 + LIFETIME_SECONDS
        claims = {"sub": member.client_id, "run": member.run, "exp": expires}
        return jwt.encode(claims, self._secret, ALGORITHM)

    def member(self, run: str, authorization: str | None) -> Member:
        """Who sent this `Authorization` header to this run.

        Raises:
            Unauthorized: No token, not ours, expired, or another run's.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("send the token as 'Authorization: Bearer …'")
        claims = self._claims(token.strip())
        if claims.get("run") != run:
            raise Unauthorized("the token is another run's")
        return Member(run, str(claims["sub"]))

    def _claims(self, token: str) -> dict[str, object]:
        import jwt  # noqa: PLC0415  # as above

        # The library's own check of `exp` reads the global clock; ours is the one that was passed in.
        options = {"require": ["exp", "sub", "run"], "verify_exp": False, "verify_iat": False}
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                options=options,  # type: ignore[arg-type]
            )
        except (jwt.InvalidTokenError, UnicodeError) as error:
            raise Unauthorized("the token is not valid") from error
        expires = claims["exp"]
        if not isinstance(expires, int) or expires * 1000 <= self._clock():
            raise Unauthorized("the token has expired")
        return claims
