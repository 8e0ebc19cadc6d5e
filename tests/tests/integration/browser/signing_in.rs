//! Signing in and out, and the headers of pages: without a session, or with another's, nobody sees or changes anything.

use crate::browser::Bench;
use api::v1::{ProjectItem, TokenItem};
use serde_json::json;
use tests::{Browser, Reply, Visitor, unpacked};

/// The headers of every page.
const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("vary", "accept-encoding"),
];

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[track_caller]
fn expect_guarded(reply: &Reply) {
    for (name, value) in HEADERS {
        assert_eq!(header(reply, name), value, "{name} of {}", reply.request);
    }
    let policy = header(reply, "content-security-policy");
    for part in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]
    {
        assert!(policy.split("; ").any(|found| found == part), "{part} in `{policy}` of {}", reply.request);
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn signing_in_with_a_valid_token_leads_to_the_requested_page() {
    let bench = Bench::new();
    let browser = Browser::start(&bench.app.url());
    browser.open("/projects/shop/scans?target=web");
    browser.expect_path("/sign-in?next=");
    browser.expect_no_text("shop");

    browser.fill("Token", "gate_no-such-token");
    browser.click_button("Sign in");
    browser.expect_text("Sign-in failed");
    assert!(browser.has_field("Token") && !browser.has_link("Security tests"), "nothing else is shown");
    // The browser reports every page with the status 401.
    assert_eq!(browser.console_errors().len(), 1);

    browser.fill("Token", bench.viewer.token());
    browser.click_button("Sign in");
    browser.expect_path("/projects/shop/scans?target=web");
    browser.expect_text("vera");

    browser.click_button("vera");
    browser.click_button("Sign out");
    browser.expect_path("/sign-in");
    browser.open("/projects/shop");
    browser.expect_path("/sign-in");
}

#[test]
fn an_uploader_sees_no_page() {
    let bench = Bench::new();
    let browser = Browser::start(&bench.app.url());
    browser.open("/");
    browser.fill("Token", bench.uploader.token());
    browser.click_button("Sign in");
    browser.expect_text("This token can only upload reports");
    browser.open("/projects/shop");
    browser.expect_path("/sign-in");
    assert_eq!(browser.console_errors().len(), 1, "the browser reports every page with the status 403");
}

#[test]
fn signing_out_everywhere_ends_sessions_of_other_browsers() {
    let bench = Bench::new();
    let (one, other) = (Browser::start(&bench.app.url()), Browser::start(&bench.app.url()));
    for browser in [&one, &other] {
        browser.sign_in(bench.developer.token());
        browser.expect_text("dave");
    }
    one.click_button("dave");
    one.click_button("Sign out everywhere");
    one.expect_path("/sign-in");
    other.click_link("Exemptions");
    other.expect_path("/sign-in");
    other.fill("Token", bench.developer.token());
    other.click_button("Sign in");
    other.expect_text("dave");
}

#[test]
fn a_session_of_a_revoked_token_ends_at_the_next_click() {
    let bench = Bench::new();
    let browser = Browser::start(&bench.app.url());
    browser.sign_in(bench.secops.token());
    browser.expect_text("sue secops");
    let tokens: Vec<TokenItem> = bench.admin.all("tokens", 100);
    let own = tokens.iter().find(|token| token.subject == "sue").unwrap();
    bench.admin.send("DELETE", &format!("tokens/{}", own.id), &[], b"").expect(204);
    browser.click_link("Settings");
    browser.expect_text("Your session has ended");
    browser.expect_no_text("sue secops");
    assert!(browser.has_field("Token") && !browser.has_link("Exemptions"));
}

#[test]
fn a_form_of_another_session_or_site_changes_nothing() {
    let bench = Bench::new();
    let anonymous = Visitor::new(&bench.app.url());
    let (admin, other) = (anonymous.signed_in(bench.admin.token()), anonymous.signed_in(bench.admin.token()));
    let (own, others) = (admin.csrf("/projects"), other.csrf("/projects"));
    assert_ne!(own, others, "each session has its own");
    let create =
        |headers: &[(&str, &str)], csrf: &str| admin.post("/projects", headers, &[("csrf", csrf), ("name", "made")]);
    for csrf in ["", "x", &others] {
        let refused = create(&[], csrf).expect(403);
        assert!(refused.whole_text().contains("another session"), "{}", refused.text());
        expect_guarded(&refused);
    }
    let from_elsewhere: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", &bench.app.url())],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ];
    for headers in from_elsewhere {
        create(headers, &own).expect(403);
        anonymous.post("/sign-in", headers, &[("token", bench.admin.token())]).expect(403);
    }
    let exists =
        || bench.admin.page::<ProjectItem>("/api/v1/projects").items.iter().any(|project| project.id == "made");
    assert!(!exists());
    anonymous.post("/projects", &[], &[("csrf", &own), ("name", "made")]).expect(401);
    assert!(!exists(), "a visitor who is not signed in changes nothing");
    create(&[("sec-fetch-site", "same-origin"), ("origin", &bench.app.url())], &own).expect(303);
    assert!(exists());
}

#[test]
fn the_session_cookie_is_hidden_from_scripts_and_other_sites() {
    let bench = Bench::new();
    let anonymous = Visitor::new(&bench.app.url());
    let fields = [("token", bench.viewer.token()), ("next", "/projects/shop/scans")];
    let plain = anonymous.post("/sign-in", &[], &fields).expect(303);
    assert_eq!(header(&plain, "location"), "/projects/shop/scans");
    expect_guarded(&plain);
    let words: Vec<_> = header(&plain, "set-cookie").split("; ").skip(1).collect();
    assert_eq!(words, ["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Lax"]);
    let safe = anonymous.post("/sign-in", &[("x-forwarded-proto", "https")], &fields).expect(303);
    assert!(header(&safe, "set-cookie").ends_with("; SameSite=Lax; Secure"), "{}", header(&safe, "set-cookie"));
    assert!(!header(&plain, "set-cookie").contains(bench.viewer.token()));

    for elsewhere in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let fields = [("token", bench.viewer.token()), ("next", elsewhere)];
        assert_eq!(header(&anonymous.post("/sign-in", &[], &fields).expect(303), "location"), "/", "{elsewhere}");
    }
    let session = anonymous.signed_in(bench.viewer.token());
    let gone = session.post("/sign-out", &[], &[("csrf", &session.csrf("/projects/shop/scans"))]).expect(303);
    assert!(header(&gone, "set-cookie").contains("Max-Age=0"), "{}", header(&gone, "set-cookie"));
}

#[test]
fn assets_are_cached_permanently_and_sent_compressed() {
    let bench = Bench::new();
    let anonymous = Visitor::new(&bench.app.url());
    let page = anonymous.get("/sign-in").expect(200);
    expect_guarded(&page);
    let html = page.whole_text();
    let assets: Vec<_> = html.split('"').filter(|text| text.starts_with("/assets/")).collect();
    assert!(assets.len() >= 4, "{assets:?}");
    for path in assets {
        let plain = anonymous.get(path).expect(200);
        let packed = anonymous.send("GET", path, &[("accept-encoding", "gzip, br")], b"").expect(200);
        for reply in [&plain, &packed] {
            assert_eq!(header(reply, "cache-control"), "public, max-age=31536000, immutable", "{path}");
            assert_eq!(header(reply, "x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header(reply, "vary"), "accept-encoding", "{path}");
        }
        assert_eq!((header(&plain, "content-encoding"), header(&packed, "content-encoding")), ("", "gzip"), "{path}");
        assert_eq!(unpacked(&packed), plain.whole_text(), "{path}");
        assert!(packed.body.len() < plain.body.len() || plain.body.len() < 1024, "{path}");
    }
    let missing = anonymous.get("/assets/000000000000/style.css").expect(404);
    assert!(!header(&missing, "cache-control").contains("immutable"));
    let pages = anonymous.signed_in(bench.admin.token());
    let packed = pages.send("GET", "/projects", &[("accept-encoding", "gzip")], b"").expect(200);
    assert_eq!(unpacked(&packed), pages.get("/projects").whole_text());
    assert_eq!(header(&packed, "content-encoding"), "gzip");
}

#[test]
fn an_unknown_address_or_method_is_answered_with_a_page() {
    let bench = Bench::new();
    let browser = Browser::start(&bench.app.url());
    browser.sign_in(bench.viewer.token());
    for path in ["/projects/shop/no-such-page", "/projects/shop/scans/none/nothing", "/account/nothing"] {
        browser.open(path);
        browser.expect_text("Page not found");
        assert!(browser.has_button("vera"), "{path} is in the frame");
        assert_eq!(browser.axe(), [] as [String; 0]);
    }
    browser.open("/projects/other");
    browser.expect_no_text("Security tests");
    assert!(browser.console_errors().iter().all(|fault| fault.contains("404")));

    let visitor = Visitor::new(&bench.app.url()).signed_in(bench.viewer.token());
    for method in ["PUT", "DELETE", "PATCH"] {
        let refused = visitor.send(method, "/projects/shop", &[], b"").expect(405);
        assert_eq!(header(&refused, "allow"), "GET, POST", "{method}");
        expect_guarded(&refused);
    }
    expect_guarded(&visitor.get("/projects/shop/no-such-page").expect(404));
    assert_eq!(bench.viewer.json("POST", "/sign-in", &json!({})).status, 400, "JSON is not a form");
}
