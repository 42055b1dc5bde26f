"""A library's app. It lends books; since the last lines it also trains a network in its readers' browsers."""

from typing import Any

from chalice import AuthResponse, Chalice, NotFoundError, Rate

from webnn.chalice import blueprint

app = Chalice(app_name="library")

BOOKS = {"9780140449136": "The Odyssey", "9780141439518": "Pride and Prejudice"}


@app.authorizer()
def readers(request: Any) -> AuthResponse:
    """Lets those in who have a reader's ticket, which a real library would look up."""
    return AuthResponse(routes=["/loans"] if request.token.startswith("ticket ") else [], principal_id=request.token)


@app.route("/books")
def books() -> dict[str, str]:
    """All books."""
    return BOOKS


@app.route("/books/{isbn}")
def book(isbn: str) -> dict[str, str]:
    """One book."""
    if isbn not in BOOKS:
        raise NotFoundError(f"no book {isbn}")
    return {"isbn": isbn, "title": BOOKS[isbn]}


@app.route("/loans", authorizer=readers)
def loans() -> list[str]:
    """What the reader has at home."""
    return ["9780140449136"]


@app.schedule(Rate(1, unit=Rate.DAYS))
def remind(_event: Any) -> None:
    """Reminds readers of what is due."""


app.register_blueprint(blueprint, url_prefix="/training", name_prefix="webnn_")
