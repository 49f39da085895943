"""The page in a browser: it says nothing, asks for nothing, fits narrow screens, and prints.

These tests take seconds each: every one starts Chromium.
"""

import json
import re
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not installed")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--enable-logging=stderr", "--v=0", "--disable-features=NetworkTimeServiceQuerying"),
)
ITS_OWN = (".google.com", ".googleapis.com", ".gvt1.com")  # whom Chromium asks for itself
MEASURE = """<!doctype html><body style="margin:0"><script>
const sizes = [[1280, 800], [400, 800]], found = {};
for (const [width, height] of sizes) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:${height}px;border:0`;
  frame.src = "/card.html";
  frame.onload = () => {
    const page = frame.contentDocument, root = page.documentElement;
    found[width] = {
      wide: root.scrollWidth, room: root.clientWidth,
      reasons: page.querySelector(".decision ul").getBoundingClientRect().bottom,
      pictures: [...page.images].filter((image) => image.naturalWidth > 0).length,
    };
    document.title = JSON.stringify(found);
  };
  document.body.append(frame);
}
</script>"""


class Server:
    """Serves pages, and takes down what is asked for, whatever the host."""

    def __init__(self, pages):
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                host = self.headers.get("Host", "").split(":")[0]
                if not host.endswith(ITS_OWN):
                    asked.append(host + self.path)
                body = pages.get(self.path, "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def server(hostile_page):
    loud = "<img src='http://elsewhere.example/x.png'><script>console.error('loud')</script>"
    pages = {"/card.html": hostile_page, "/loud.html": loud, "/measure.html": MEASURE}
    server = Server(pages)
    yield server
    server.close()


@pytest.fixture
def browse(server, tmp_path):
    """Opens a page in Chromium, every host being our server: its output and console messages."""

    def run(page, *flags):
        server.asked.clear()
        command = [
            *(CHROMIUM, *FLAGS, *flags, f"--user-data-dir={tmp_path / 'profile'}"),
            f"--host-resolver-rules=MAP * 127.0.0.1:{server.port}",
            f"http://127.0.0.1:{server.port}/{page}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return run


def test_a_loud_page_is_heard(browse, server):
    _, messages = browse("loud.html", "--dump-dom")
    assert any("loud" in line for line in messages)
    assert "elsewhere.example/x.png" in server.asked


def test_nothing_is_said_and_nothing_asked_for(browse, server):
    document, messages = browse("card.html", "--dump-dom")
    assert messages == []
    assert server.asked == ["127.0.0.1/card.html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in document
    assert "<script" not in document


def test_it_fits_wide_and_narrow_screens(browse, hostile_page):
    document, _ = browse("measure.html", "--dump-dom", "--window-size=1400,1700")
    found = json.loads(re.search("<title>(.*?)</title>", document)[1])
    for width, page in found.items():
        assert page["room"] == int(width)
        assert page["wide"] <= page["room"]
        assert page["pictures"] == hostile_page.count("<img ")
    assert {*found} == {"1280", "400"}
    assert found["1280"]["reasons"] < 800


def test_it_prints(browse, tmp_path):
    printed = tmp_path / "card.pdf"
    browse("card.html", f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    content = printed.read_bytes()
    assert content.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", content)) < 20
