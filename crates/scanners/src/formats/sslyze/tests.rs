use super::*;
use crate::tests::{failure, findings};
use crate::value::rating::score_of;
use finding::severity::Severity;

fn report(commands: &str) -> String {
    format!(
        r#"{{"server_scan_results": [{{"connectivity_status": "COMPLETED", "server_location": {{"hostname": "shop.example",
        "ip_address": "192.0.2.7", "port": 443}}, "scan_result": {{{commands}}}}}], "sslyze_version": "5.1.3"}}"#
    )
}

fn rules(text: &str) -> Vec<String> {
    findings(&SCANNER, text.as_bytes()).unwrap().0.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn every_check_has_a_score() {
    for check in CHECKS {
        let score = score_of(SCORES, check.rule).or(score_of(USUAL_SCORE, "weak"));
        assert!(score.is_some_and(|score| score.severity() != Severity::Info), "{}", check.rule);
    }
    for (rule, _) in SCORES {
        assert!(CHECKS.iter().any(|check| check.rule == *rule), "{rule}");
    }
}

#[test]
fn failing_checks_are_findings_and_the_others_are_passed() {
    let text = report(
        r#""heartbleed": {"status": "COMPLETED", "result": {"is_vulnerable_to_heartbleed": true}},
        "robot": {"status": "COMPLETED", "result": {"robot_result": "NOT_VULNERABLE_NO_ORACLE"}},
        "tls_1_0_cipher_suites": {"status": "COMPLETED", "result": {"is_tls_version_supported": true,
          "accepted_cipher_suites": [{"cipher_suite": {"name": "TLS_RSA_WITH_AES_128_CBC_SHA"}}]}},
        "http_headers": {"status": "NOT_SCHEDULED", "result": null},
        "session_renegotiation": {"status": "ERROR", "error_reason": "BUG_IN_SSLYZE", "result": null}"#,
    );
    let (found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    let summary = &parsed.summary;
    assert_eq!((summary.findings, summary.passed, summary.scanner_errors_total), (2, 1, 0));
    let spots: Vec<_> = summary.blind_spots.iter().map(|spot| (spot.reach.to_string(), spot.reason.as_str())).collect();
    assert_eq!(spots, [("file `shop.example`".to_owned(), "session_renegotiation: the command failed")]);
    assert_eq!(summary.examined, [(Unit::Hosts, 1)].into());
    assert_eq!(found[0].advisories, ["CVE-2014-0160"]);
    assert_eq!((found[0].severity(), found[1].severity()), (Severity::High, Severity::Medium));
    assert_eq!(found[1].title, "TLS 1.0 accepted");
    assert!(found[1].message.contains("TLS_RSA_WITH_AES_128_CBC_SHA"), "{}", found[1].message);
}

#[test]
fn only_weak_cipher_suites_are_findings() {
    let suites = |name: &str| {
        report(&format!(
            r#""tls_1_2_cipher_suites": {{"accepted_cipher_suites": [{{"cipher_suite": {{"name": "{name}"}}}}]}}"#
        ))
    };
    for (name, weak) in [
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", false),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", false),
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", false),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", false),
        ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", true),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", true),
        ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", true),
        ("TLS_DH_anon_WITH_AES_128_CBC_SHA256", true),
        ("TLS_ECDHE_RSA_WITH_NULL_SHA", true),
    ] {
        assert_eq!(!rules(&suites(name)).is_empty(), weak, "{name}");
    }
}

#[test]
fn a_certificate_fails_the_checks_of_its_defects() {
    let text = report(
        r#""certificate_info": {"certificate_deployments": [{"leaf_certificate_subject_matches_hostname": false,
        "received_chain_has_valid_order": true, "verified_chain_has_sha1_signature": null, "ocsp_response_is_trusted": null,
        "path_validation_results": [{"openssl_error_string": "certificate has expired", "trust_store": {"name": "Mozilla"}},
        {"openssl_error_string": null, "trust_store": {"name": "Java"}}]}]}"#,
    );
    assert_eq!(rules(&text), ["certificate_hostname", "certificate_trust"]);
    let curves = report(r#""elliptic_curves": {"supported_curves": [{"name": "X25519"}, {"name": "prime256v1"}]}"#);
    assert_eq!(rules(&curves), [""; 0]);
    let curves = report(r#""elliptic_curves": {"supported_curves": [{"name": "prime192v1"}]}"#);
    assert_eq!(rules(&curves), ["elliptic_curves"]);
}

#[test]
fn a_key_that_is_a_huge_number_is_skipped() {
    let key = "7".repeat(600);
    let text = report(&format!(
        r#""certificate_info": {{"status": "COMPLETED", "result": {{"certificate_deployments": [{{
        "received_certificate_chain": [{{"public_key": {{"rsa_n": {key}}}}}], "path_validation_results": []}}]}}}}"#
    ));
    let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    assert_eq!((parsed.summary.passed, parsed.summary.rejected), (1, 0));
    let auto = crate::tests::findings_as(crate::Expected::Any, text.as_bytes()).unwrap();
    assert_eq!(auto.parsed.format, "sslyze");
}

#[test]
fn xml_and_older_json_give_the_same_findings() {
    let xml = r#"<document SSLyzeVersion="1.4.3" title="SSLyze Scan Results"><results><target host="shop.example" ip="192.0.2.7" port="443">
        <heartbleed><openSslHeartbleed isVulnerable="True"/></heartbleed>
        <sslv3 isProtocolSupported="True"><acceptedCipherSuites><cipherSuite name="TLS_RSA_WITH_RC4_128_SHA"/></acceptedCipherSuites></sslv3>
        <reneg><sessionRenegotiation canBeClientInitiated="False" isSecure="True"/></reneg></target></results></document>"#;
    let json = r#"{"sslyze_version": "1.4.3", "invalid_targets": [], "accepted_targets": [{"server_info": {"hostname": "shop.example",
        "ip_address": "192.0.2.7", "port": 443}, "commands_results": {"heartbleed": {"is_vulnerable_to_heartbleed": true},
        "sslv3": {"accepted_cipher_list": [{"name": "TLS_RSA_WITH_RC4_128_SHA"}]},
        "reneg": {"accepts_client_renegotiation": false, "supports_secure_renegotiation": true}}}]}"#;
    for text in [xml, json] {
        let (mut found, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
        found.sort_by(|a, b| a.rule.cmp(&b.rule));
        assert_eq!((parsed.summary.passed, parsed.scanner_version.as_deref()), (2, Some("1.4.3")), "{text}");
        assert_eq!(found.iter().map(|f| f.rule.as_str()).collect::<Vec<_>>(), ["heartbleed", "ssl_3_0"]);
        assert_eq!(found[1].endpoint.as_ref().unwrap().port, Some(443));
    }
}

#[test]
fn the_host_of_an_unreached_server_is_read_in_every_form() {
    let report = |entry: &str| {
        let list = format!(r#""invalid_targets": [{entry}], "accepted_targets": []"#);
        let text = format!(r#"{{"sslyze_version": "1", {list}}}"#);
        let summary = findings(&SCANNER, text.as_bytes()).unwrap().1.summary;
        summary.blind_spots.first().map(|spot| spot.reach.to_string()).filter(|_| summary.is_complete())
    };
    let host = || Some("file `shop.example`".to_owned());
    assert_eq!(report(r#""Shop.example:443""#), host());
    assert_eq!(report(r#"{"shop.example:443": "timed out"}"#), host());
    assert_eq!(report(r#"{"server_string": "shop.example{2001:db8::1}:443", "error_message": "m"}"#), host());
    assert_eq!(report(r#"{"server_info": {"hostname": "shop.example"}, "error_message": "m"}"#), host());
    assert_eq!(report(r#""[2001:db8::1]:443""#).as_deref(), Some("file `2001:db8::1`"));
    for unclear in [r#""2001:db8::1""#, r#""no server here""#, "7", "{}"] {
        assert_eq!(report(unclear), None, "{unclear}");
    }
}

#[test]
fn unreachable_servers_are_blind_spots_and_unreadable_facts_are_rejected() {
    let text = r#"{"server_scan_results": [{"connectivity_status": "ERROR", "connectivity_error_trace": "a\nTimeout",
        "server_location": {"hostname": "shop.example", "port": 443}, "scan_result": null}], "sslyze_version": "5.1.3"}"#;
    let (_, parsed) = findings(&SCANNER, text.as_bytes()).unwrap();
    let spot = &parsed.summary.blind_spots[0];
    assert!(spot.reason.contains("Timeout"), "{:?}", parsed.summary);
    assert_eq!(spot.reach, finding::Reach::File("shop.example".to_owned()));
    assert_eq!(parsed.summary.blind_spots[1].reach, finding::Reach::Everything, "the only server");
    let (_, parsed) = findings(&SCANNER, report(r#""heartbleed": {"x": 1}"#).as_bytes()).unwrap();
    assert_eq!(parsed.summary.rejected, 1);
    assert!(failure(&SCANNER, br#"{"sslyze_version": "5"}"#).contains("server_scan_results"));
}
