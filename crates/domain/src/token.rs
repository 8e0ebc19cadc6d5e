//! Tokens: their records, their last use, and the number of unknown tokens from a network.

use crate::digest::derive;
use crate::event::Mark;
use crate::exemption::Stamp;
use crate::ids::{ProjectId, Subject, TargetName, TokenId};
use crate::journal::Refusal;
use crate::limits::TOKENS_MAX;
use crate::revoked::{RevokedToken, RevokedTokens};
use crate::role::Role;
use crate::serde_skip::is_default;
use crate::time::Timestamp;
use crate::upload_limits::UploadLimits;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// The interval in milliseconds at which a token's use is written again. It is long, so that calls do not get slower.
const USE_WRITTEN_EVERY_MS: i64 = 10 * 60 * 1000;
/// The maximum number of unknown tokens from one network within [`UNKNOWN_TOKENS_WINDOW_S`].
pub const UNKNOWN_TOKENS_MAX: u32 = 20;
/// The time in seconds for which unknown tokens from one network are counted together.
pub const UNKNOWN_TOKENS_WINDOW_S: u32 = 60;

/// The least length of an admin token that an operator chooses, in characters.
const CHOSEN_CHARS_MIN: usize = 32;
/// The least number of different characters of such a token. 32 random hexadecimal digits have fewer once in a million
/// times.
const CHOSEN_DISTINCT_MIN: usize = 8;

/// True if a token that an operator chose is long and does not repeat few characters, as a random one.
pub fn is_hard_to_guess(token: &str) -> bool {
    let distinct: BTreeSet<char> = token.chars().collect();
    CHOSEN_CHARS_MIN <= token.chars().count() && CHOSEN_DISTINCT_MIN <= distinct.len()
}

/// The stored properties of a token; never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedToken {
    /// Its public id.
    pub id: TokenId,
    /// SHA-256 of the token, 64 hexadecimal digits. Revoking the token deletes the register with this key.
    pub sha256: String,
    /// The name that its issuer gave it.
    pub name: String,
    /// The person or machine that has it.
    pub subject: Subject,
    /// Its role.
    pub role: Role,
    /// The targets that it is limited to; absent if it is valid for the whole project.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub targets: Option<BTreeSet<TargetName>>,
    /// Its end; absent if it is valid until it is revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Timestamp>,
    /// The limits of its uploads.
    #[serde(skip_serializing_if = "is_default", default)]
    pub uploads: UploadLimits,
}

/// The register that authentication reads, under the token's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The format's version: 1.
    pub v: u8,
    /// The project that the token is valid for; absent for a token of an account admin, which is valid for all
    /// projects.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<ProjectId>,
    /// The token's properties.
    pub token: IssuedToken,
}

/// A token in the state of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its properties.
    pub token: IssuedToken,
    /// The actor and time of its issue.
    pub issued: Mark,
}

/// The tokens of one journal that are not revoked. Tokens that have ended are removed when a new one is issued.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tokens(BTreeMap<TokenId, Token>);

impl Tokens {
    /// Returns the token with this id.
    pub fn get(&self, id: TokenId) -> Option<&Token> {
        self.0.get(&id)
    }

    /// Returns all tokens, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.values()
    }

    /// Adds a token.
    ///
    /// # Errors
    /// There are [`TOKENS_MAX`] tokens that are neither revoked nor expired.
    pub(crate) fn issue(&mut self, token: &IssuedToken, issued: Mark) -> Result<(), Refusal> {
        self.0.retain(|_, held| held.token.expires.is_none_or(|end| issued.at < end));
        if self.0.len() >= TOKENS_MAX && !self.0.contains_key(&token.id) {
            return Err(Refusal::new(format!("there are {TOKENS_MAX} tokens, the maximum")));
        }
        self.0.insert(token.id, Token { token: token.clone(), issued });
        Ok(())
    }

    /// Removes a token, and adds it to `revoked`.
    ///
    /// # Errors
    /// No token has this id, or not any more.
    pub(crate) fn revoke(&mut self, id: TokenId, by: Stamp, revoked: &mut RevokedTokens) -> Result<(), Refusal> {
        let Some(Token { token, .. }) = self.0.remove(&id) else {
            return Err(revoked.second(id).unwrap_or_else(|| Refusal::new(format!("token {id} does not exist"))));
        };
        revoked.add(RevokedToken { id, name: token.name, revoked: by });
        Ok(())
    }
}

/// The register of a token's last use. It is separate from the token's record: writing the record could restore one
/// that was revoked at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUse {
    /// The format's version: 1.
    pub v: u8,
    /// The time, at most ten minutes old: the register is not written more often.
    pub at: Timestamp,
    /// The client's network address, as the host reports it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

impl TokenUse {
    /// True if a use at `now` must be written.
    pub fn is_old(&self, now: Timestamp) -> bool {
        now.ms_since(self.at) >= USE_WRITTEN_EVERY_MS
    }
}

/// A network for which unknown tokens are counted: an IPv4 address, or the first 64 bits of an IPv6 address, which one
/// customer usually gets. The port is not part of it: every connection has another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network(String);

impl Network {
    /// Returns the network of a client's address, with or without a port. All unknown and unreadable addresses are one
    /// network.
    pub fn of(address: Option<&str>) -> Self {
        let ip = address.and_then(|text| {
            let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
            with_port.or_else(|_| text.parse::<IpAddr>()).ok()
        });
        Self(match ip.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => ip.to_string(),
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            None => "unknown".to_owned(),
        })
    }

    /// Returns which of the 65,536 registers counts for the network. It depends on `salt`, so an attacker cannot choose
    /// an address that shares a register with another network.
    pub fn bucket(&self, salt: &str) -> u16 {
        let [high, low, ..] = derive("v1:guess", &[salt.as_bytes(), self.0.as_bytes()]);
        u16::from_be_bytes([high, low])
    }
}

/// The register that counts unknown tokens. Its last writer wins: of several at the same time only one may be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownTokens {
    /// The format's version: 1.
    pub v: u8,
    /// The time of the first one.
    pub since: Timestamp,
    /// Their number since then.
    pub count: u32,
}

impl UnknownTokens {
    /// True if no more unknown tokens are accepted at `now`.
    pub fn reached_limit(&self, now: Timestamp) -> bool {
        self.is_running(now) && self.count >= UNKNOWN_TOKENS_MAX
    }

    /// Adds one.
    pub fn with_one_more(before: Option<Self>, now: Timestamp) -> Self {
        match before.filter(|before| before.is_running(now)) {
            Some(before) => Self { count: before.count.saturating_add(1), ..before },
            None => Self { v: 1, since: now, count: 1 },
        }
    }

    /// True if `now` is within the time that is counted together. A start in the future, from a wrong clock, does not
    /// count.
    fn is_running(&self, now: Timestamp) -> bool {
        (0..i64::from(UNKNOWN_TOKENS_WINDOW_S) * 1000).contains(&now.ms_since(self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, token};

    fn mark() -> Mark {
        entry(1, "ann", 1000, ()).mark()
    }

    #[test]
    fn a_chosen_token_that_is_short_or_repeats_itself_is_easy_to_guess() {
        for weak in ["", "abc", "correct-horse-battery-staple", &"a".repeat(64), &"0123456".repeat(8)] {
            assert!(!is_hard_to_guess(weak), "{weak}");
        }
        for strong in ["0123456789abcdef0123456789abcdef", "gate_7Qw1-zL9x_Rk3mV8sT2bY6nC0aE4dF5gH"] {
            assert!(is_hard_to_guess(strong), "{strong}");
        }
    }

    #[test]
    fn tokens_are_accepted_up_to_the_limit() {
        let mut tokens = Tokens::default();
        for n in 0..TOKENS_MAX {
            tokens.issue(&token(&format!("gate_{n}"), None), mark()).unwrap();
        }
        assert!(tokens.issue(&token("gate_more", None), mark()).is_err());
        assert!(tokens.issue(&token("gate_7", None), mark()).is_ok(), "an existing one needs no more room");
        let stamp = Stamp { n: 1, at: Timestamp::from_ms(1000), by: "ann".parse().unwrap() };
        tokens.revoke(TokenId::of("gate_7"), stamp, &mut RevokedTokens::default()).unwrap();
        assert!(tokens.issue(&token("gate_more", None), mark()).is_ok());
        assert_eq!(tokens.iter().count(), TOKENS_MAX);
    }

    #[test]
    fn a_use_is_recorded_again_after_ten_minutes() {
        let used = TokenUse { v: 1, at: Timestamp::from_ms(1_000), address: None };
        assert_eq!([600_999, 601_000].map(|now| used.is_old(Timestamp::from_ms(now))), [false, true]);
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_half_an_ipv6_address() {
        let same = |a: &str, b: &str| Network::of(Some(a)) == Network::of(Some(b));
        assert!(same("192.0.2.7:1", "192.0.2.7:65535") && same("192.0.2.7", "192.0.2.7:1"));
        assert!(same("[::ffff:192.0.2.7]:1", "192.0.2.7:1"), "one machine, with any socket");
        assert!(same("[2001:db8:0:7::1]:1", "[2001:db8:0:7:ffff::2]:2"));
        assert!(!same("192.0.2.7:1", "192.0.2.8:1") && !same("[2001:db8:0:7::1]:1", "[2001:db8:0:8::1]:1"));
        assert_eq!(Network::of(Some("somewhere")), Network::of(None));
        assert_ne!(Network::of(None), Network::of(Some("0.0.0.0:0")));
    }

    #[test]
    fn the_register_of_a_network_depends_on_the_salt() {
        let network = Network::of(Some("192.0.2.7:1"));
        assert_eq!(network.bucket("a"), Network::of(Some("192.0.2.7:2")).bucket("a"));
        assert_ne!(network.bucket("a"), network.bucket("b"));
    }

    #[test]
    fn a_limited_number_of_guesses_per_minute_is_checked() {
        let at = Timestamp::from_ms;
        let mut guesses = None;
        for n in 0..UNKNOWN_TOKENS_MAX {
            assert!(
                !guesses.as_ref().is_some_and(|guesses: &UnknownTokens| guesses.reached_limit(at(5_000))),
                "guess {n}"
            );
            guesses = Some(UnknownTokens::with_one_more(guesses, at(5_000)));
        }
        let guesses = guesses.unwrap();
        assert!(guesses.reached_limit(at(5_000)) && guesses.reached_limit(at(64_999)));
        assert!(!guesses.reached_limit(at(65_000)), "the minute has passed");
        assert!(!guesses.reached_limit(at(4_999)), "a clock that was set back");
        assert_eq!(
            UnknownTokens::with_one_more(Some(guesses), at(65_000)),
            UnknownTokens { v: 1, since: at(65_000), count: 1 }
        );
    }

    #[test]
    fn the_stored_forms_are_pinned() {
        let whole = IssuedToken {
            targets: Some(["web", "api"].map(|name| name.parse().unwrap()).into()),
            ..token("gate_x", Some(5))
        };
        let limited = IssuedToken {
            uploads: UploadLimits { untrusted: true, ..UploadLimits::default() },
            ..token("gate_x", None)
        };
        assert!(serde_json::to_string(&limited).unwrap().ends_with(r#""uploads":{"untrusted":true}}"#));
        let json = |record: &TokenRecord| serde_json::to_string(record).unwrap();
        let of_project = TokenRecord { v: 1, project: Some("shop".parse().unwrap()), token: whole };
        let of_account = TokenRecord { v: 1, project: None, token: token("gate_x", None) };
        let used = TokenUse { v: 1, at: Timestamp::from_ms(7), address: Some("192.0.2.7:1".to_owned()) };
        let guesses = UnknownTokens { v: 1, since: Timestamp::from_ms(7), count: 3 };
        let lines = [
            json(&of_project),
            json(&of_account),
            serde_json::to_string(&used).unwrap(),
            serde_json::to_string(&guesses).unwrap(),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"v":1,"project":"shop","token":{"id":"18704ef65a239f969dcb36805804a0a9","sha256":"e356b614df4bb6db7de16b41361ee3ff3ba695abb03d87284fc7cb7c033e5585","name":"ci","subject":"ci","role":"developer","targets":["api","web"],"expires":5}}
        {"v":1,"token":{"id":"18704ef65a239f969dcb36805804a0a9","sha256":"e356b614df4bb6db7de16b41361ee3ff3ba695abb03d87284fc7cb7c033e5585","name":"ci","subject":"ci","role":"developer"}}
        {"v":1,"at":7,"address":"192.0.2.7:1"}
        {"v":1,"since":7,"count":3}
        "#);
    }
}
