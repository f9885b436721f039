//! The vectors of RFC 7515 appendix A, and tokens that Python's `cryptography` signed.

use std::{fs, path::Path};

use serde_json::json;

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/access/jwt/testdata").join(name)
}

fn token(name: &str) -> String {
    fs::read_to_string(testdata(name)).unwrap().trim().to_owned()
}

fn config(algorithm: JwtAlgorithm, key: &str) -> JwtConfig {
    JwtConfig { algorithm, secret: None, key_file: Some(testdata(key)), issuer: None, audience: None }
}

fn shared() -> JwtConfig {
    JwtConfig { secret: Some(Secret::new(SECRET)), key_file: None, ..config(JwtAlgorithm::HS256, "none") }
}

/// A JWT of any header and claims, signed with [`SECRET`].
fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = ring::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn signatures_of_others_hold() {
    use JwtAlgorithm::{ES256, HS256, RS256};
    let check = |config: &JwtConfig, token: &str, expected: Result<&str, JwtError>| {
        let found = JwtVerifier::open(config).unwrap().verify(token, 1_750_000_000_000);
        assert_eq!(found.as_ref().map(|vouched| vouched.grant.subject.as_str()), expected.as_ref().copied());
    };
    // The claims of the RFC name no role: that they are read at all says that the signature holds.
    for (algorithm, key, name) in [
        (HS256, "rfc7515_a1.key", "rfc7515_a1.jwt"),
        (RS256, "rfc7515_a2.pem", "rfc7515_a2.jwt"),
        (ES256, "rfc7515_a3.pem", "rfc7515_a3.jwt"),
    ] {
        let config = config(algorithm, key);
        check(&config, &token(name), Err(JwtError::Claims));
        let (signed, signature) =
            token(name).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(&signature).unwrap();
        bytes[7] ^= 1;
        check(&config, &format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bytes)), Err(JwtError::Signature));
        check(&config, &format!("{signed}."), Err(JwtError::Signature));
        check(&config, &format!("{signed}A.{signature}"), Err(JwtError::Signature));
    }
    for (algorithm, name) in [(RS256, "rs256"), (ES256, "es256")] {
        let config = JwtConfig {
            audience: Some("ocelli".to_owned()),
            issuer: Some("https://issuer.example".to_owned()),
            ..config(algorithm, &format!("{name}.pem"))
        };
        check(&config, &token(&format!("{name}.jwt")), Ok("dash"));
        let other = if name == "rs256" { "rfc7515_a2.pem" } else { "rfc7515_a3.pem" };
        let config = JwtConfig { key_file: Some(testdata(other)), ..config };
        check(&config, &token(&format!("{name}.jwt")), Err(JwtError::Signature));
    }
}

#[test]
fn the_token_does_not_choose_the_algorithm() {
    let claims = json!({"exp": 4_102_444_800_u64, "role": "admin"}).to_string();
    let check = |config: &JwtConfig, token: &str, wanted: &'static str| {
        let found = JwtVerifier::open(config).unwrap().verify(token, 0);
        assert_eq!(found, Err(JwtError::Algorithm(wanted)), "{token}");
    };
    for alg in ["none", "None", "hs256", "HS512", "RS256", ""] {
        check(&shared(), &signed(&json!({"alg": alg}).to_string(), &claims), "HS256");
    }
    // The classic: HMAC with the public key as its secret.
    let rsa = config(JwtAlgorithm::RS256, "rs256.pem");
    let public = fs::read(testdata("rs256.pem")).unwrap();
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(&claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
    let forged = ring::hmac::sign(&key, message.as_bytes());
    check(&rsa, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(forged)), "RS256");
}

#[test]
fn claims_are_checked() {
    let now_ms = 1_000_000_000;
    let check =
        |issuer: Option<&str>, audience: Option<&str>, claims: &str, expected: Result<(), JwtError>| {
            let (issuer, audience) = (issuer.map(str::to_owned), audience.map(str::to_owned));
            let verifier = JwtVerifier::open(&JwtConfig { issuer, audience, ..shared() }).unwrap();
            let found = verifier.verify(&signed(r#"{"alg":"HS256"}"#, claims), now_ms);
            assert_eq!(found.map(|_vouched| ()), expected, "{claims}");
        };
    let (ok, early, expired) = (Ok(()), Err(JwtError::Early), Err(JwtError::Expired));
    let (issuer, audience) = (Err(JwtError::Issuer), Err(JwtError::Audience));
    check(None, None, r#"{"exp":1000001,"role":"viewer"}"#, ok);
    check(None, None, r#"{"exp":999970.5,"role":"viewer"}"#, ok);
    check(None, None, r#"{"exp":999970,"role":"viewer"}"#, expired);
    check(None, None, r#"{"exp":-1e300,"role":"viewer"}"#, expired);
    check(None, None, r#"{"exp":1e300,"nbf":1000030,"role":"viewer"}"#, ok);
    check(None, None, r#"{"exp":1e300,"nbf":1000031,"role":"viewer"}"#, early);
    check(Some("a"), None, r#"{"exp":1000001,"role":"viewer","iss":"a"}"#, ok);
    check(Some("a"), None, r#"{"exp":1000001,"role":"viewer","iss":"A"}"#, issuer);
    check(Some("a"), None, r#"{"exp":1000001,"role":"viewer"}"#, issuer);
    check(None, None, r#"{"exp":1000001,"role":"viewer","iss":"a"}"#, ok);
    check(None, Some("o"), r#"{"exp":1000001,"role":"viewer","aud":"o"}"#, ok);
    check(None, Some("o"), r#"{"exp":1000001,"role":"viewer","aud":["x","o"]}"#, ok);
    check(None, Some("o"), r#"{"exp":1000001,"role":"viewer","aud":["x"]}"#, audience);
    check(None, Some("o"), r#"{"exp":1000001,"role":"viewer"}"#, audience);
    check(None, None, r#"{"exp":1000001,"role":"viewer","aud":"o"}"#, audience);
    for bad in [
        r#"{"role":"viewer"}"#,
        r#"{"exp":"1000001","role":"viewer"}"#,
        r#"{"exp":null,"role":"viewer"}"#,
        r#"{"exp":1000001}"#,
        r#"{"exp":1000001,"role":"root"}"#,
        r#"{"exp":1000001,"role":"viewer","streams":"cam1"}"#,
        r#"{"exp":1000001,"role":"viewer","streams":["../x"]}"#,
        r#"{"exp":1000001,"exp":9000001,"role":"viewer"}"#,
        r#"{"exp":1000001,"role":"viewer","role":"admin"}"#,
        "[]",
        "",
        "{\"exp\":1000001,\"role\":\"viewer\"",
    ] {
        check(None, None, bad, Err(JwtError::Claims));
    }
}

#[test]
fn a_jwt_grants_what_its_claims_say() {
    let verifier = JwtVerifier::open(&shared()).unwrap();
    let claims = r#"{"exp":100,"sub":"wall","role":"operator","streams":["front-*","cam1"],"more":{}}"#;
    let vouched = verifier.verify(&signed(r#"{"alg":"HS256","kid":"7"}"#, claims), 0).unwrap();
    let streams = StreamScope::of(Some(&["front-*", "cam1"])).unwrap();
    let grant = Grant { subject: "wall".to_owned(), role: Role::Operator, streams };
    assert_eq!(vouched, Vouched { grant, expires_ms: 130_000 });
    let claims = r#"{"exp":100,"role":"viewer","streams":[]}"#;
    let vouched = verifier.verify(&signed(r#"{"alg":"HS256"}"#, claims), 0).unwrap();
    assert!(!vouched.grant.streams.contains(&"cam1".parse().unwrap()), "an empty list is no stream");
}

#[test]
fn what_is_no_jwt_is_refused() {
    let verifier = JwtVerifier::open(&shared()).unwrap();
    let whole = signed(r#"{"alg":"HS256"}"#, r#"{"exp":100,"role":"viewer"}"#);
    let check = |token: &str, expected: JwtError| {
        assert_eq!(verifier.verify(token, 0), Err(expected), "{token}");
    };
    for bad in ["", ".", "..", "...", "a", "a.b", "a.b.c", "e30.e30.", "ocl_abc"] {
        check(bad, JwtError::Form);
    }
    check(&format!("{whole}."), JwtError::Signature);
    check(&format!("{whole}."), JwtError::Signature);
    check(&format!("x{whole}"), JwtError::Form);
    check(&signed(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, "{}"), JwtError::Critical);
    check(&signed(r#"{"alg":"HS256","alg":"none"}"#, "{}"), JwtError::Form);
    check(&format!("{whole}{}", "A".repeat(8192)), JwtError::Form);
}

#[test]
fn keys_of_the_wrong_kind_are_refused() {
    use JwtAlgorithm::{ES256, HS256, RS256};
    let check = |config: JwtConfig, expected: &str| {
        let error = JwtVerifier::open(&config).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(config(RS256, "es256.pem"), "another kind or size");
    check(config(ES256, "rs256.pem"), "another kind or size");
    check(config(ES256, "p384.pem"), "another kind or size");
    check(config(RS256, "rsa1024.pem"), "another kind or size");
    check(config(RS256, "pkcs1.pem"), "-pubout");
    check(config(RS256, "rs256.jwt"), "-pubout");
    check(config(RS256, "missing.pem"), "cannot read the key");
    check(JwtConfig { secret: Some(Secret::new(SECRET)), ..config(RS256, "rs256.pem") }, "key_file");
    check(
        JwtConfig { secret: Some(Secret::new(SECRET)), ..config(HS256, "rfc7515_a1.key") },
        "either secret or",
    );
    check(JwtConfig { secret: None, ..shared() }, "either secret or");
    check(JwtConfig { secret: Some(Secret::new("x".repeat(31))), ..shared() }, "fewer than 32 bytes");
}
