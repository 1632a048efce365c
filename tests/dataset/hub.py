"""A small fake of the Hugging Face Hub: repositories in memory, reached by the real client through `HF_ENDPOINT`."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class Hub(ThreadingHTTPServer):
    """What was pushed: `repos` by name, `blobs` by digest, `asked` with the method and path of every request."""

    daemon_threads = True

    def __init__(self, token="hf_secret"):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token, self.repos, self.blobs, self.asked = token, {}, {}, []
        self.fails_at = ""
        """A piece of a path that is answered with an error."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def files(self, repo):
        return self.repos[repo]["files"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, value=None, status=200, body=b"", **headers):
        body = json.dumps(value).encode() if value is not None else body
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        hub, path = self.server, unquote(urlsplit(self.path).path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub.asked.append((self.command, path))
        if hub.fails_at and hub.fails_at in path:
            return self.answer({"error": "the moon is in the way"}, 418)
        if not path.startswith("/blob/") and self.headers.get("Authorization") != f"Bearer {hub.token}":
            return self.answer({"error": "Invalid credentials in Authorization header"}, 401)
        parts = path.strip("/").split("/")
        if path == "/api/repos/create":
            return self.create(json.loads(sent))
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if parts[0] == "blob":
            assert hashlib.sha256(sent).hexdigest() == parts[1]
            hub.blobs[parts[1]] = sent
            return self.answer({})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self.batch(json.loads(sent))
        if parts[:2] == ["api", "datasets"]:
            return self.dataset(hub.repos["/".join(parts[2:4])], "/".join(parts[2:4]), parts[4:], sent)
        return self.resolve(hub.repos["/".join(parts[1:3])]["files"], "/".join(parts[5:]))

    do_GET = do_POST = do_PUT = do_HEAD = handle_any

    def create(self, wanted):
        name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        known = name in self.server.repos
        repo = self.server.repos.setdefault(name, {"private": wanted.get("visibility") == "private", "files": {}})
        repo.setdefault("commits", 0)
        self.answer({"url": f"{self.server.url}/datasets/{name}", "name": name, "id": name}, 409 if known else 200)

    def batch(self, wanted):
        def told(one):
            if one["oid"] in self.server.blobs:
                return one
            return one | {"actions": {"upload": {"href": f"{self.server.url}/blob/{one['oid']}"}}}

        self.answer({"transfer": "basic", "objects": [told(one) for one in wanted["objects"]]})

    def dataset(self, repo, name, rest, sent):
        if rest[:1] == ["preupload"]:
            modes = [
                {"path": f["path"], "uploadMode": "lfs" if f["path"].endswith((".jsonl", ".parquet")) else "regular"}
                for f in json.loads(sent)["files"]
            ]
            return self.answer({"files": [mode | {"shouldIgnore": False} for mode in modes]})
        if rest[:1] == ["commit"]:
            for line in map(json.loads, sent.splitlines()):
                self.apply(repo, line["key"], line["value"])
            repo["commits"] += 1
            oid = f"{repo['commits']:040x}"
            return self.answer({"commitUrl": f"{self.server.url}/datasets/{name}/commit/{oid}", "commitOid": oid})
        if rest[:1] == ["tree"]:
            files = [{"type": "file", "path": p, "size": len(b), "oid": "0" * 40} for p, b in repo["files"].items()]
            return self.answer(files)
        siblings = [{"rfilename": path} for path in repo["files"]]
        return self.answer({"id": name, "private": repo["private"], "sha": "0" * 40, "siblings": siblings})

    def apply(self, repo, key, value):
        if key == "file":
            repo["files"][value["path"]] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            repo["files"][value["path"]] = self.server.blobs[value["oid"]]
        elif key == "deletedFile":
            del repo["files"][value["path"]]

    def resolve(self, files, path):
        body = files[path]
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        self.answer(body=body, ETag=etag, X_Repo_Commit="0" * 40)
