#!/usr/bin/env python3
"""Verifies the touches of an exported log offline, without a line of the software that took them.

    verify.py --origin https://NAME[:PORT] --log ORIGIN DETAILS

DETAILS is an export's `details.jsonl`: one JSON object a line with `leaf`, `salt` and `detail`, the
last being the text to which the leaf commits. That detail is itself a JSON object; where a person
touched a key for what it says, it has

    "approval": {...}   what was approved: for a leaf `asked` the fields of SEARCH below, for any
                other those of ACT
    "touch":    {"credential", "authenticator_data", "client_data", "signature"}, each base64url
                without padding
    "key":      {"id", "public_key", "sign_count", "aaguid", "software"}: the credential as it was
                kept before this touch, id and public key (a COSE_Key) in base64url

and every `asked` must have all three. Where another detail has no key of its own, the touch is by
one that an earlier detail of the same export enrolled: `key_enrolled`, or `grant_asked` (whose key
is the new one) once `grant_approved` names the same grant. From the approval's fields alone this
program computes the canonical request and its SHA-256, which is the challenge, and has PyPI's
`webauthn` verify the touch against it. That a detail belongs to its leaf, and the leaf to the log,
is for `smrtctl log verify` or Go's packages to say.

Prints one JSON object for each detail with a touch:
{"leaf": n, "accepted": true or false, "why": words or null}.
Exits with 0 if there were touches and all were accepted, with 1 if not, with 2 if it can't work at
all.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from urllib.parse import urlsplit

try:
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authenticator_data
except ImportError as error:
    print(
        f"{error}: install what tests/webauthn/requirements.txt lists, as tests/run does",
        file=sys.stderr,
    )
    sys.exit(2)

NUMBER, WHOLE, TEXT, TEXTS, BOX = "number", "whole number", "text", "list of texts", "face box"
# The fields of an approval in the order of their lines; a length is that of bytes in hexadecimal.
SEARCH = {
    "log": TEXT,
    "inquiry": 16,
    "revision": NUMBER,
    "fields_sha256": 32,
    "probe_sha256": 32,
    "searched_sha256": 32,
    "face": BOX,
    "edits": TEXTS,
    "candidates": NUMBER,
    "operator": TEXT,
    "device": TEXT,
    "certificate_sha256": 32,
    "model": 32,
    "expires": NUMBER,
    "nonce": 32,
}
ACT = {
    "log": TEXT,
    "person": TEXT,
    "device": TEXT,
    "certificate_sha256": 32,
    "what_sha256": 32,
    "expires": NUMBER,
    "nonce": 32,
}
FACE = {"left": WHOLE, "top": WHOLE, "width": NUMBER, "height": NUMBER}
TOUCH = ("credential", "authenticator_data", "client_data", "signature")
KEY = ("id", "public_key", "sign_count", "aaguid", "software")
SOFTWARE = "736d7274-2d73-6f66-742d-6b65792d3031"
RESERVED_FLAGS = 0x22


class Refused(Exception):
    """A touch that doesn't hold, with the reason."""


def unique(pairs):
    """A JSON object that says nothing twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def read_json(text):
    try:
        return json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from error


def with_fields(what, value, names):
    if not isinstance(value, dict) or set(value) != set(names):
        raise Refused(f"{what} has not exactly the fields {', '.join(names)}")
    return value


def from_base64(what, text):
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Refused(f"{what} is not base64url without padding")
    found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # The last digit may carry bits that decoding drops: one text only for the same bytes.
    if base64.urlsafe_b64encode(found).decode().rstrip("=") != text:
        raise Refused(f"{what} is not base64url without padding")
    return found


# The canonical request


def line(name, kind, value):
    if kind in (NUMBER, WHOLE):
        if type(value) is not int or (kind == NUMBER and value < 0):
            raise Refused(f"{name} is no {kind}")
        return f"{name}={value}\n"
    if kind == TEXT:
        if not isinstance(value, str):
            raise Refused(f"{name} is no text")
        return f"{name}={json.dumps(value, ensure_ascii=False)}\n"
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * kind}}}", value):
        raise Refused(f"{name} is not {2 * kind} hexadecimal digits in small letters")
    return f"{name}={value}\n"


def canonical(verb, approval, fields):
    lines = ["smrt touch v1\n", line("verb", TEXT, verb)]
    for name, kind in fields.items():
        value = approval[name]
        if kind == BOX:
            with_fields(name, value, FACE)
            lines += [line(f"{name}_{side}", number, value[side]) for side, number in FACE.items()]
        elif kind == TEXTS:
            if not isinstance(value, list):
                raise Refused(f"{name} is no list")
            lines.append(line(name, NUMBER, len(value)))
            lines += [line(name.removesuffix("s"), TEXT, text) for text in value]
        else:
            lines.append(line(name, kind, value))
    return "".join(lines)


def challenge_of(detail):
    """The challenge, and who approved."""
    approval = detail["approval"]
    if detail.get("detail") == "asked":
        with_fields("a search's approval", approval, SEARCH)
        request, person = canonical("search", approval, SEARCH), approval["operator"]
    else:
        with_fields("an approval", approval, ["verb", *ACT])
        if approval["verb"] == "search":
            raise Refused("a search is approved where none was asked for")
        request, person = canonical(approval["verb"], approval, ACT), approval["person"]
    return hashlib.sha256(request.encode()).digest(), person


# A touch


class Verifier:
    """What was accepted so far.

    A touch holds once, and a key is one person's and counts upwards.
    """

    def __init__(self, origin, log):
        self.origin, self.log = origin, log
        self.rp_id = urlsplit(origin).hostname
        self.challenges, self.keys = set(), {}
        # Keys by their ids, each with whose it is; and those of grants that nobody has approved
        # yet.
        self.enrolled, self.asked_for = {}, {}

    def learn(self, detail):
        """Takes up a key that a detail enrols."""
        kind, grant = detail.get("detail"), detail.get("grant")
        if kind == "key_enrolled":
            found = with_fields("the key", detail.get("key"), KEY), detail.get("person")
            self.enrolled[found[0]["id"]] = found
        elif kind == "grant_asked" and detail.get("key"):
            self.asked_for[grant] = (
                with_fields("the key", detail["key"], KEY),
                detail["person"]["id"],
            )
        elif kind == "grant_approved" and grant in self.asked_for:
            found = self.asked_for.pop(grant)
            self.enrolled[found[0]["id"]] = found

    def key_of(self, detail, person):
        """The key that a touch should be by: as the detail has it, else as it was enrolled."""
        credential = (
            detail["touch"].get("credential") if isinstance(detail["touch"], dict) else None
        )
        key, whose = self.enrolled.get(credential, (None, person))
        if whose != person:
            raise Refused("the key was enrolled for another person")
        if "key" in detail and detail.get("detail") != "grant_asked":
            given = with_fields("the key", detail["key"], KEY)
            if key and (given["public_key"], given["aaguid"]) != (key["public_key"], key["aaguid"]):
                raise Refused("the key is not the one that was enrolled")
            return given
        if key is None:
            raise Refused("no key: the export enrols none of that name before")
        kept = self.keys.get(key["id"])
        return {**key, "sign_count": kept[3]} if kept else key

    def verify(self, detail):
        wanted = (
            ("approval", "touch", "key")
            if detail.get("detail") == "asked"
            else ("approval", "touch")
        )
        missing = [part for part in wanted if part not in detail]
        if missing:
            raise Refused(f"no {', '.join(missing)}")
        challenge, person = challenge_of(detail)
        approval = detail["approval"]
        touch = with_fields("the touch", detail["touch"], TOUCH)
        key = self.key_of(detail, person)
        data = {name: from_base64(name, touch[name]) for name in TOUCH}
        public_key = from_base64("the public key", key["public_key"])
        count = key["sign_count"]
        if touch["credential"] != key["id"]:
            raise Refused("the touch is by another key")
        if type(count) is not int or not 0 <= count < 1 << 32:
            raise Refused("the counter is no number of 32 bits")
        if key["software"] is not (key["aaguid"] == SOFTWARE):
            raise Refused("what the key says of its kind and whether it is software differ")
        if approval["log"] != self.log:
            raise Refused("it was approved for another log")
        actor = detail.get("actor")
        if isinstance(actor, dict) and actor.get("fingerprint") != approval["certificate_sha256"]:
            raise Refused("it was approved at another device than that which asked")
        kept = self.keys.get(key["id"])
        # A key that is verified may be used again and again; what it is and whose it is stays.
        if kept and kept[:3] != (public_key, key["aaguid"], person):
            raise Refused("the same key was another, or another person's, before")
        if challenge in self.challenges:
            raise Refused("the same approval was used before")
        if kept and count < kept[3]:
            raise Refused("the key's counter was higher before")
        found = self.by_the_library(touch, challenge, public_key, count)
        self.beyond_the_library(data)
        self.challenges.add(challenge)
        self.keys[key["id"]] = (public_key, key["aaguid"], person, found)

    def by_the_library(self, touch, challenge, public_key, count):
        response = {
            "authenticatorData": touch["authenticator_data"],
            "clientDataJSON": touch["client_data"],
            "signature": touch["signature"],
        }
        credential = {
            "id": touch["credential"],
            "rawId": touch["credential"],
            "type": "public-key",
            "response": response,
        }
        try:
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=count,
                require_user_verification=True,
            )
        # The library raises what its own libraries raise; whatever it is, it isn't a touch that
        # holds.
        except Exception as error:
            raise Refused(f"webauthn: {error}") from error
        return verified.new_sign_count

    def beyond_the_library(self, data):
        """What this log demands and the library leaves to its caller."""
        parsed = parse_authenticator_data(data["authenticator_data"])
        if parsed.flags.be or parsed.flags.bs:
            raise Refused("the key can be copied")
        if parsed.flags.at or data["authenticator_data"][32] & RESERVED_FLAGS:
            raise Refused("the authenticator data has flags that a touch has not")
        client = read_json(data["client_data"])
        if client.get("crossOrigin", False) is not False or "topOrigin" in client:
            raise Refused("the page was a frame in another's")
        binding = client.get("tokenBinding")
        if isinstance(binding, dict) and binding.get("status") == "present":
            raise Refused("it claims a token binding")


def touches(lines):
    """Leaf and detail of each line that has a touch or should have.

    A line that can't be read is refused where it stands.
    """
    for number, text in enumerate(lines, 1):
        leaf = None
        try:
            opened = with_fields("the line", read_json(text), ("leaf", "salt", "detail"))
            leaf = opened["leaf"]
            detail = read_json(opened["detail"]) if isinstance(opened["detail"], str) else None
            if not isinstance(detail, dict):
                raise Refused("its detail is not the text of a JSON object")
        except Refused as refused:
            yield leaf, None, f"line {number}: {refused}"
            continue
        if detail.get("detail") == "asked" or "touch" in detail or "approval" in detail:
            yield leaf, detail, None


def main():
    parser = argparse.ArgumentParser(description="Verifies the touches of an exported log offline.")
    parser.add_argument("--origin", required=True, help="the origin of the console's pages")
    parser.add_argument(
        "--log", required=True, help="the log's origin, the first line of its checkpoint"
    )
    parser.add_argument("details", help="the export's details.jsonl")
    args = parser.parse_args()
    verifier = Verifier(args.origin, args.log)
    accepted = refused = 0
    with open(args.details, encoding="utf-8") as lines:
        for leaf, detail, why in touches(lines):
            if detail is not None:
                try:
                    if detail.get("detail") == "key_enrolled":
                        verifier.learn(detail)
                        continue
                    verifier.verify(detail)
                    verifier.learn(detail)
                except Refused as reason:
                    why = str(reason)
            accepted, refused = accepted + (why is None), refused + (why is not None)
            print(json.dumps({"leaf": leaf, "accepted": why is None, "why": why}))
    print(f"{accepted} touches accepted, {refused} refused", file=sys.stderr)
    return 0 if accepted and not refused else 1


if __name__ == "__main__":
    sys.exit(main())
