"""Asks PyJWT, joserfc and jwcrypto about tokens: what each accepts as a genuine token of the environment, and what it reads.

Standard input: first a line with a JSON object {"keys": JWKS, "environment": ID, "audience": AUD or null}, then a token a line, in
hexadecimal. Standard output: for each a JSON list with the claims that each library returns, or null where it refuses.
"""
import json, sys, time, warnings

warnings.simplefilter("ignore")
import jwt as pyjwt
from joserfc import jwk as joserfc_jwk, jwt as joserfc_jwt
from joserfc.jws import JWSRegistry
from jwcrypto import jwk as jwcrypto_jwk, jwt as jwcrypto_jwt

LEEWAY = 60
setup = json.loads(sys.stdin.readline())
environment, audience = setup["environment"], setup["audience"]

pyjwt_keys = {key.key_id: key for key in pyjwt.PyJWKSet.from_dict(setup["keys"]).keys}
joserfc_keys = joserfc_jwk.KeySet.import_key_set(setup["keys"])
# Unknown parameters of a header are to be ignored (RFC 7515, section 4).
joserfc_headers = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
joserfc_headers.max_header_length = joserfc_headers.max_payload_length = 65536
jwcrypto_keys = jwcrypto_jwk.JWKSet.from_json(json.dumps(setup["keys"]))


def check(claims):
    """What Dynamic's documents ask for beside the registered claims."""
    scope = claims.get("scope")
    if claims.get("environment_id") != environment or not isinstance(scope, str) or "user:basic" not in scope.split(" "):
        raise ValueError("environment or scope")
    return claims


def by_pyjwt(token):
    key = pyjwt_keys[pyjwt.get_unverified_header(token)["kid"]]
    options = {"require": ["exp"], "verify_aud": audience is not None}
    return pyjwt.decode(token, key, algorithms=["RS256"], leeway=LEEWAY, audience=audience, options=options)


def by_joserfc(token):
    decoded = joserfc_jwt.decode(token, joserfc_keys, algorithms=["RS256"], registry=joserfc_headers)
    asked = {"exp": {"essential": True}}
    if audience is not None:
        asked["aud"] = {"essential": True, "value": audience}
    joserfc_jwt.JWTClaimsRegistry(leeway=LEEWAY, **asked).validate(decoded.claims)
    return decoded.claims


def by_jwcrypto(token):
    asked = {"exp": None}
    if audience is not None:
        asked["aud"] = audience
    decoded = jwcrypto_jwt.JWT(algs=["RS256"], check_claims=asked, expected_type="JWS")
    decoded.leeway = LEEWAY
    decoded.deserialize(token, jwcrypto_keys)
    claims = json.loads(decoded.claims)
    issued = claims.get("iat")
    # The others refuse it; jwcrypto has no opinion.
    if issued is not None and (not isinstance(issued, (int, float)) or issued > time.time() + LEEWAY):
        raise ValueError("iat")
    return claims


def plain(value):
    """JSON has no numbers that are not finite, and Swift no longer ones than a Double."""
    return str(value) if isinstance(value, (int, float)) and not abs(value) < 1e300 else value


for line in sys.stdin:
    token = bytes.fromhex(line.strip()).decode("latin-1")
    answers = []
    for library in by_pyjwt, by_joserfc, by_jwcrypto:
        try:
            claims = check(library(token))
            answers.append({name: plain(claims.get(name)) for name in ("sid", "originalSid", "sub", "environment_id", "iat")})
        except Exception:  # Whatever it raises, it does not accept the token.
            answers.append(None)
    print(json.dumps(answers), flush=not token)  # An empty one asks for what is still kept back.
