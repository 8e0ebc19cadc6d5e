use super::*;
use domain::ids::TokenId;
use domain::role::Right;
use domain::token::UNKNOWN_TOKENS_MAX;
use domain::upload_limits::UploadLimits;
use futures::executor::block_on;
use store::memory::MemoryKv;

/// The installation's admin token.
const ROOT: &str = "gate_0123456789abcdefghijklmnopqrstuv";
const HOME: &str = "192.0.2.7:1";
const ELSEWHERE: &str = "192.0.2.8:1";

/// A store with one token, `gate_x`, that ends at 100,000,000 ms.
fn store() -> MemoryKv {
    let kv = MemoryKv::default();
    let token = IssuedToken {
        id: TokenId::of("gate_x"),
        sha256: token_digest("gate_x"),
        name: "ci".to_owned(),
        subject: "ann".parse().unwrap(),
        role: Role::Developer,
        targets: Some(["web".parse().unwrap()].into()),
        expires: Some(Timestamp::from_ms(100_000_000)),
        uploads: UploadLimits::default(),
    };
    let record = TokenRecord { v: 1, project: Some("shop".parse().unwrap()), token };
    block_on(document::put(&kv, &keys::token(&token_digest("gate_x")), &record)).unwrap();
    kv
}

fn with_header(kv: &MemoryKv, header: Option<&str>, address: &str, ms: i64) -> Result<Identity, Code> {
    let now = Timestamp::from_ms(ms);
    block_on(authenticate(kv, ROOT, header, Some(address), now)).map_err(|problem| problem.code)
}

fn authenticated(kv: &MemoryKv, token: &str, address: &str, ms: i64) -> Result<Identity, Code> {
    with_header(kv, Some(&format!("Bearer {token}")), address, ms)
}

fn used(kv: &MemoryKv, token: &str) -> Option<TokenUse> {
    block_on(document::find(kv, &keys::used(&token_digest(token)))).unwrap()
}

/// Sends as many unknown tokens as are checked.
fn guess(kv: &MemoryKv, address: &str, ms: i64) {
    for n in 0..UNKNOWN_TOKENS_MAX {
        assert_eq!(authenticated(kv, &format!("gate_guess{n}"), address, ms), Err(Code::Unauthenticated), "guess {n}");
    }
}

#[test]
fn unknown_tokens_are_refused() {
    let kv = store();
    assert_eq!(with_header(&kv, None, HOME, 0), Err(Code::Unauthenticated));
    for bad in
        ["", "Bearer", "Bearer ", "Basic gate_x", "Bearer gate_y", "gate_x", &format!("Bearer {}", "x".repeat(600))]
    {
        assert_eq!(with_header(&kv, Some(bad), HOME, 0), Err(Code::Unauthenticated), "{bad}");
    }
    assert_eq!(authenticated(&kv, "gate_x", HOME, 100_000_000), Err(Code::TokenExpired));
    let ann = with_header(&kv, Some("bearer gate_x"), HOME, 99_999_999).unwrap();
    assert_eq!((ann.actor.subject.as_str(), ann.actor.token), ("ann", Some(TokenId::of("gate_x"))));
    assert!(ann.covers(&"web".parse().unwrap()) && !ann.covers(&"api".parse().unwrap()));
    assert!(ann.require(&"other".parse().unwrap(), Right::Read).is_err());
    assert!(authenticated(&kv, ROOT, HOME, 0).unwrap().require_installation().is_ok());
    let empty = block_on(authenticate(&MemoryKv::default(), "", Some("Bearer "), None, Timestamp::from_ms(0)));
    assert!(empty.is_err(), "an empty admin token is not valid");
}

#[test]
fn a_token_without_a_project_is_an_account_admins() {
    let kv = store();
    let token = IssuedToken {
        id: TokenId::of("gate_a"),
        sha256: token_digest("gate_a"),
        name: "ann".to_owned(),
        subject: "ann".parse().unwrap(),
        role: Role::Admin,
        targets: None,
        expires: None,
        uploads: UploadLimits::default(),
    };
    block_on(document::put(&kv, &keys::token(&token_digest("gate_a")), &TokenRecord { v: 1, project: None, token }))
        .unwrap();
    let ann = authenticated(&kv, "gate_a", HOME, 0).unwrap();
    assert!(ann.require_installation().is_ok() && ann.require(&"any".parse().unwrap(), Right::Administer).is_ok());
    assert_eq!(ann.actor.subject.as_str(), "ann", "the admin has a name, unlike the installation's own token");
}

#[test]
fn the_last_use_is_recorded_at_most_every_ten_minutes() {
    let kv = store();
    assert_eq!(used(&kv, "gate_x"), None);
    let mut written = Vec::new();
    for (ms, address) in [(0, HOME), (1, ELSEWHERE), (599_999, HOME), (600_000, ELSEWHERE)] {
        authenticated(&kv, "gate_x", address, ms).unwrap();
        let used = used(&kv, "gate_x").unwrap();
        written.push((used.at.as_ms(), used.address.unwrap()));
    }
    assert_eq!(written, [(0, HOME), (0, HOME), (0, HOME), (600_000, ELSEWHERE)].map(|(at, of)| (at, of.to_owned())));
    assert_eq!(authenticated(&kv, "gate_x", HOME, 100_000_000), Err(Code::TokenExpired));
    assert_eq!(used(&kv, "gate_x").unwrap().at.as_ms(), 600_000, "a refused one was not used");
    authenticated(&kv, ROOT, HOME, 5).unwrap();
    assert_eq!(used(&kv, ROOT).unwrap().at.as_ms(), 5);
    assert_eq!((authenticated(&kv, "gate_y", HOME, 0), used(&kv, "gate_y")), (Err(Code::Unauthenticated), None));
}

#[test]
fn after_too_many_guesses_a_right_one_is_answered_like_a_wrong_one() {
    let kv = store();
    guess(&kv, HOME, 1_000);
    let before = kv.contents();
    for token in ["gate_more", "gate_x", ROOT] {
        assert_eq!(authenticated(&kv, token, HOME, 1_000), Err(Code::TooManyAttempts), "{token}");
        assert_eq!(
            authenticated(&kv, token, "192.0.2.7:65535", 60_999),
            Err(Code::TooManyAttempts),
            "{token} by another port"
        );
    }
    assert_eq!(kv.contents(), before, "an unchecked token causes no write");
    assert!(authenticated(&kv, "gate_x", ELSEWHERE, 1_000).is_ok(), "other networks are not affected");
    assert!(authenticated(&kv, "gate_more", HOME, 61_000) == Err(Code::Unauthenticated), "the minute has passed");
    assert!(authenticated(&kv, ROOT, HOME, 61_000).is_ok());
}

#[test]
fn a_guesser_does_not_lock_out_clients_behind_the_same_proxy() {
    let kv = store();
    authenticated(&kv, "gate_x", HOME, 0).unwrap();
    guess(&kv, HOME, 1_000);
    assert!(authenticated(&kv, "gate_x", HOME, 1_000).is_ok(), "it was used from here");
    assert_eq!(authenticated(&kv, ROOT, HOME, 1_000), Err(Code::TooManyAttempts), "it was not used from here");
    guess(&kv, ELSEWHERE, 1_000);
    assert_eq!(
        authenticated(&kv, "gate_x", ELSEWHERE, 1_000),
        Err(Code::TooManyAttempts),
        "this one was not used from there"
    );
    // Only the last use of a revoked token remains: it is an unknown token.
    block_on(kv.delete(&keys::token(&token_digest("gate_x")))).unwrap();
    assert_eq!(authenticated(&kv, "gate_x", HOME, 1_000), Err(Code::TooManyAttempts));
}

#[test]
fn valid_and_invalid_tokens_cost_the_same_reads_and_valid_ones_few_writes() {
    let kv = store();
    authenticated(&kv, "gate_x", HOME, 0).unwrap();
    let cost = |token: &str| {
        let before = kv.operations();
        let found = authenticated(&kv, token, HOME, 1_000);
        let after = kv.operations();
        (found.is_ok(), after.0 - before.0, after.1 - before.1)
    };
    assert_eq!([cost("gate_x"), cost("gate_y")], [(true, 3, 0), (false, 3, 1)]);
}

#[test]
fn an_admin_token_that_is_easy_to_guess_opens_nothing() {
    let kv = store();
    let with = |token: &str| {
        let header = format!("Bearer {token}");
        block_on(authenticate(&kv, token, Some(&header), Some(HOME), Timestamp::from_ms(0)))
            .map(|_| ())
            .map_err(|problem| problem.detail)
    };
    let refusal = with("abc").unwrap_err();
    assert!(refusal.starts_with("the installation's admin token is too easy to guess"), "{refusal}");
    assert_eq!(with("0123456789abcdef0123456789abcdef"), Ok(()));
}
