//! The checks of SSLyze's facts. Names are those in the JSON of versions 3 to 6; older names are aliases.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The rule of a check and its failure message: `None` if the check passed, an error if the fact cannot be read.
pub(super) type CheckResult = (&'static str, Result<Option<String>, String>);

/// Commands whose result is a list of cipher suites: their names in all versions, the rule of the check, the protocol.
const PROTOCOLS: [(&[&str], &str, &str); 6] = [
    (&["ssl_2_0_cipher_suites", "sslv2"], "ssl_2_0", "SSL 2.0"),
    (&["ssl_3_0_cipher_suites", "sslv3"], "ssl_3_0", "SSL 3.0"),
    (&["tls_1_0_cipher_suites", "tlsv1"], "tls_1_0", "TLS 1.0"),
    (&["tls_1_1_cipher_suites", "tlsv1_1"], "tls_1_1", "TLS 1.1"),
    (&["tls_1_2_cipher_suites", "tlsv1_2"], "tls_1_2_cipher_suites", "TLS 1.2"),
    (&["tls_1_3_cipher_suites", "tlsv1_3"], "tls_1_3_cipher_suites", "TLS 1.3"),
];

/// True if a command lists the cipher suites of a protocol.
pub(super) fn is_protocol(command: &str) -> bool {
    PROTOCOLS.iter().any(|(names, ..)| names.contains(&command))
}

/// The fields of certificates that are read. Others are skipped, because keys are numbers too large for a JSON reader.
/// Version 1 has the fields of a deployment in the result itself.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Certificates {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_deployments: Option<Vec<Self>>,
    #[serde(alias = "certificate_matches_hostname")]
    leaf_certificate_subject_matches_hostname: Option<bool>,
    #[serde(alias = "is_certificate_chain_order_valid")]
    received_chain_has_valid_order: Option<bool>,
    #[serde(alias = "has_sha1_in_certificate_chain")]
    verified_chain_has_sha1_signature: Option<bool>,
    verified_chain_has_legacy_symantec_anchor: Option<bool>,
    #[serde(alias = "is_ocsp_response_trusted")]
    ocsp_response_is_trusted: Option<bool>,
    #[serde(alias = "path_validation_result_list", skip_serializing_if = "Option::is_none")]
    path_validation_results: Option<Vec<Path>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Path {
    #[serde(alias = "verify_string", alias = "validation_error")]
    openssl_error_string: Option<String>,
    was_validation_successful: Option<bool>,
    trust_store: Store,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Store {
    name: Option<String>,
}

/// Parses the result of a command.
pub(super) fn read(command: &str, raw: &str) -> Result<Value, String> {
    let read = match command {
        "certificate_info" | "certinfo" => {
            serde_json::from_str::<Option<Certificates>>(raw).and_then(serde_json::to_value)
        }
        _ => serde_json::from_str(raw),
    };
    read.map_err(|error| error.to_string())
}

/// Runs the checks of a command's result. Empty for a command without checks.
pub(super) fn checks(command: &str, result: &Value) -> Vec<CheckResult> {
    if let Some((_, rule, name)) = PROTOCOLS.iter().find(|(names, ..)| names.contains(&command)) {
        return vec![(*rule, protocol(rule, name, result))];
    }
    match command {
        "heartbleed" => vec![(
            "heartbleed",
            fails_if(result, "is_vulnerable_to_heartbleed", true, "The server is vulnerable to Heartbleed"),
        )],
        "openssl_ccs_injection" | "openssl_ccs" => vec![(
            "openssl_ccs_injection",
            fails_if(result, "is_vulnerable_to_ccs_injection", true, "The server is vulnerable to CCS injection"),
        )],
        "robot" => vec![("robot", robot(result))],
        "session_renegotiation" | "reneg" => renegotiation(result),
        "tls_compression" | "compression" => vec![("tls_compression", compression(result))],
        "tls_fallback_scsv" | "fallback" => vec![(
            "tls_fallback_scsv",
            fails_if(result, "supports_fallback_scsv", false, "The server does not support TLS_FALLBACK_SCSV"),
        )],
        "tls_extended_master_secret" => vec![(
            "tls_extended_master_secret",
            fails_if(result, "supports_ems_extension", false, "The server does not support the extended master secret"),
        )],
        "elliptic_curves" => vec![("elliptic_curves", curves(result))],
        "certificate_info" | "certinfo" => certificates(result),
        _ => Vec::new(),
    }
}

fn fails_if(result: &Value, fact: &str, bad: bool, message: &str) -> Result<Option<String>, String> {
    match result.get(fact).and_then(Value::as_bool) {
        Some(value) => Ok((value == bad).then(|| message.to_owned())),
        None => Err(format!("`{fact}` is missing")),
    }
}

fn protocol(rule: &str, name: &str, result: &Value) -> Result<Option<String>, String> {
    let lists = ["accepted_cipher_suites", "accepted_cipher_list"];
    let list = lists.into_iter().find_map(|list| result.get(list)?.as_array());
    let suites = list.ok_or("`accepted_cipher_suites` is missing")?.iter().map(suite);
    let suites: Vec<&str> = suites.collect::<Option<_>>().ok_or("the name of a cipher suite is missing")?;
    if rule.ends_with("cipher_suites") {
        let weak: Vec<&str> = suites.into_iter().filter(|suite| is_weak(suite)).collect();
        return Ok(
            (!weak.is_empty()).then(|| format!("{name} is offered with weak cipher suites: {}", weak.join(", ")))
        );
    }
    // `is_tls_version_supported` is ignored: without an accepted suite, no connection is possible.
    Ok((!suites.is_empty()).then(|| format!("{name} is offered, with the cipher suites {}", suites.join(", "))))
}

fn suite(entry: &Value) -> Option<&str> {
    let names = ["/cipher_suite/name", "/name", "/openssl_name"];
    names.into_iter().find_map(|path| entry.pointer(path)?.as_str())
}

/// True for weak suites, see `sslyze.rs`. Of OpenSSL's names (in the JSON of version 1), only `BROKEN` is checked.
fn is_weak(suite: &str) -> bool {
    const BROKEN: [&str; 11] = ["NULL", "anon", "EXPORT", "EXP-", "RC2", "RC4", "DES", "IDEA", "SEED", "MD5", "_CCM_8"];
    const NO_FORWARD_SECRECY: [&str; 7] =
        ["TLS_RSA_", "TLS_DH_", "TLS_ECDH_", "TLS_PSK_", "TLS_KRB5_", "TLS_SRP_", "TLS_GOST"];
    BROKEN.iter().any(|mark| suite.contains(mark))
        || NO_FORWARD_SECRECY.iter().any(|start| suite.starts_with(start))
        || suite.ends_with("_CBC_SHA")
}

fn robot(result: &Value) -> Result<Option<String>, String> {
    let robot = ["robot_result", "robot_result_enum"].into_iter().find_map(|name| result.get(name)?.as_str());
    let robot = robot.ok_or("`robot_result` is missing")?;
    if robot.starts_with("UNKNOWN") {
        return Err(format!("the result is `{robot}`"));
    }
    Ok(robot.starts_with("VULNERABLE").then(|| format!("The server answers as an oracle: {robot}")))
}

fn renegotiation(result: &Value) -> Vec<CheckResult> {
    let secure = fails_if(result, "supports_secure_renegotiation", false, "Secure renegotiation is not supported");
    // Version 5 renamed the fact.
    let names = ["is_vulnerable_to_client_renegotiation_dos", "accepts_client_renegotiation"];
    let name = names.into_iter().find(|name| result.get(name).is_some()).unwrap_or(names[0]);
    let client = fails_if(result, name, true, "The client may start renegotiations");
    vec![("insecure_renegotiation", secure), ("client_renegotiation", client)]
}

fn compression(result: &Value) -> Result<Option<String>, String> {
    let message = "The server supports compression";
    match result.get("compression_name") {
        Some(name) => Ok((!name.is_null()).then(|| message.to_owned())),
        None => fails_if(result, "supports_compression", true, message),
    }
}

fn curves(result: &Value) -> Result<Option<String>, String> {
    // There is no list if the key exchange does not use curves.
    let Some(list) = result.get("supported_curves").and_then(Value::as_array) else { return Ok(None) };
    let names = list.iter().filter_map(|curve| curve.get("name")?.as_str());
    let bits = |name: &str| {
        let digits: String =
            name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    // Numbers in names are bits, except in X25519 and X448, which are named after their primes.
    let weak: Vec<&str> =
        names.filter(|name| !name.starts_with('X') && bits(name).is_some_and(|bits| bits < 224)).collect();
    Ok((!weak.is_empty()).then(|| format!("The server supports weak curves: {}", weak.join(", "))))
}

fn certificates(result: &Value) -> Vec<CheckResult> {
    match result.get("certificate_deployments").and_then(Value::as_array) {
        Some(deployments) => deployments.iter().flat_map(certificate).collect(),
        None => certificate(result),
    }
}

fn certificate(deployment: &Value) -> Vec<CheckResult> {
    let facts = [
        (
            "certificate_hostname",
            "leaf_certificate_subject_matches_hostname",
            false,
            "The certificate does not name this host",
        ),
        ("certificate_chain_order", "received_chain_has_valid_order", false, "The certificate chain is out of order"),
        ("certificate_sha1", "verified_chain_has_sha1_signature", true, "The certificate chain has a SHA-1 signature"),
        (
            "certificate_symantec",
            "verified_chain_has_legacy_symantec_anchor",
            true,
            "The certificate chain goes back to a distrusted authority",
        ),
        ("ocsp_response", "ocsp_response_is_trusted", false, "The stapled OCSP response is not trusted"),
    ];
    // Facts that do not apply are null: no OCSP response, no verified chain.
    let stated = facts.into_iter().filter(|(_, fact, ..)| deployment.get(fact).is_some_and(Value::is_boolean));
    let mut checks: Vec<CheckResult> =
        stated.map(|(rule, fact, bad, message)| (rule, fails_if(deployment, fact, bad, message))).collect();
    checks.push(("certificate_trust", trust(deployment)));
    checks
}

fn trust(deployment: &Value) -> Result<Option<String>, String> {
    let paths = deployment.get("path_validation_results").and_then(Value::as_array);
    let paths = paths.ok_or("`path_validation_results` is missing")?;
    let failures: Vec<String> = paths.iter().filter_map(failure).collect();
    Ok((!failures.is_empty()).then(|| format!("The certificate is not trusted: {}", failures.join("; "))))
}

fn failure(path: &Value) -> Option<String> {
    let error = path.get("openssl_error_string").and_then(Value::as_str).filter(|error| *error != "ok");
    let failed = path.get("was_validation_successful").and_then(Value::as_bool) == Some(false);
    let store = path.pointer("/trust_store/name").and_then(Value::as_str).unwrap_or("a trust store");
    (failed || error.is_some()).then(|| format!("{store}: {}", error.unwrap_or("not valid")))
}
