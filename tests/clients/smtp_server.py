"""A mail server for tests: prints its port, then each mail as a line of JSON.

Modes: plain, starttls-auth (both required; hub, hidden-word), tls, reject, busy. The directory has
cert.pem and key.pem.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

MODE, DIRECTORY = sys.argv[1], pathlib.Path(sys.argv[2])


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"hub", b"hidden-word")
    return AuthResult(success=good, handled=good, auth_data="hub")


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if MODE == "reject":
            return "550 no such user here"
        if MODE == "busy":
            return "451 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        print(json.dumps({
            "tls": session.ssl is not None,
            "user": session.auth_data,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in mail.items()},
            "text": parts.get("text/plain"),
            "html": parts.get("text/html"),
        }), flush=True)
        return "250 OK"


def server():
    options = {}
    if MODE == "starttls-auth":
        options = {"require_starttls": True, "tls_context": tls, "auth_required": True, "authenticator": authenticate}
    return SMTP(Handler(), hostname="localhost", **options)


async def main():
    wrapped = tls if MODE == "tls" else None
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=wrapped)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(DIRECTORY / "cert.pem", DIRECTORY / "key.pem")
asyncio.run(main())
