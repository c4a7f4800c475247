"""A small OpenID Connect issuer on loopback: its configuration, its keys, and tokens for whoever asks.

    python3 oidc_issuer.py        (pip install 'pyjwt[crypto]')

It prints its URL, and ends when its standard output does. Of its own are POST /token, which signs the claims it is given,
and POST /rotate, which makes new keys and with {"retire": true} publishes the old ones no more.
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm


class Issuer:
    def __init__(self):
        self.generations = []
        self.published = []
        self.rotate(retire=True)

    def rotate(self, retire):
        number = len(self.generations) + 1
        pair = {
            "RS256": (f"rsa-{number}", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            "ES256": (f"ec-{number}", ec.generate_private_key(ec.SECP256R1())),
        }
        self.generations.append(pair)
        self.published = ([] if retire else self.published) + [pair]

    def keys(self):
        kinds = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}
        return {
            "keys": [
                {**json.loads(kinds[alg].to_jwk(key.public_key())), "kid": name, "use": "sig", "alg": alg}
                for pair in self.published
                for alg, (name, key) in pair.items()
            ]
        }

    def token(self, url, asked):
        now = int(time.time())
        claims = {"iss": url, "aud": "bincount", "iat": now, "exp": now + asked.get("life", 600), **asked["claims"]}
        name, key = self.generations[asked.get("generation", -1)][asked["alg"]]
        return jwt.encode(claims, key, algorithm=asked["alg"], headers={"kid": name})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, json_body, status=200):
        body = json.dumps(json_body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        server = self.server
        if self.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": server.url,
                    "jwks_uri": server.url + "/keys",
                    "token_endpoint": server.url + "/token",
                    "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                }
            )
        elif self.path == "/keys":
            self.answer(server.issuer.keys())
        else:
            self.answer({"error": "not_found"}, 404)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/token":
            self.answer({"access_token": self.server.issuer.token(self.server.url, asked)})
        elif self.path == "/rotate":
            self.server.issuer.rotate(asked["retire"])
            self.answer({})
        else:
            self.answer({"error": "not_found"}, 404)

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.issuer = Issuer()
    print(server.url, flush=True)
    server.serve_forever()
