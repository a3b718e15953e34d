"""`/docs`: the API to read and try out; its scripts come from this server, since a site may have no internet."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from mcpp.api.headers import policy_of_page
from mcpp.api.routes import Routes
from mcpp.api.static_files import StaticFiles

ASSETS_PATH: Final = "/docs/assets"

assets: Final = StaticFiles(ASSETS_PATH, files("fastapi_offline").joinpath("static"))

router = Routes(include_in_schema=False)


@router.get("/docs")
async def get_docs() -> HTMLResponse:
    """The page around `/openapi.json`."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="MCPP",
        swagger_js_url=assets.address("swagger-ui-bundle.js"),
        swagger_css_url=assets.address("swagger-ui.css"),
        swagger_favicon_url=assets.address("favicon.png"),
        # Without a validator: the page would show the document to one on the internet.
        swagger_ui_parameters={"validatorUrl": None},
    )
    page.headers["Content-Security-Policy"] = policy_of_page(bytes(page.body).decode())
    return page
