use super::*;
use crate::session::Session;
use crate::testing::{FakeApi, session, text, with_request};
use api::problem::Code;

fn token(id: &str, expires_at: Option<&str>) -> TokenItem {
    TokenItem {
        id: id.to_owned(),
        name: "<ci>".to_owned(),
        subject: "ci".to_owned(),
        role: "uploader".to_owned(),
        targets: Some(vec!["web".to_owned()]),
        variants: None,
        baselines: true,
        pipelines: None,
        expires_at: expires_at.map(str::to_owned),
        issued_at: "2026-11-01T00:00:00Z".to_owned(),
        issued_by: "ann".to_owned(),
        last_used_at: Some("2026-11-24T00:00:00Z".to_owned()),
        last_used_address: Some("192.0.2.7".to_owned()),
        token: None,
    }
}

fn listed(items: Vec<TokenItem>) -> page::Page<TokenItem> {
    page::Page { items, next: None }
}

fn api() -> FakeApi {
    let mine = TokenId::of("gate_x").to_string();
    let items = vec![
        token("0a", Some("2026-11-26T00:00:00Z")),
        token("0b", Some("2026-11-01T00:00:00Z")),
        token("0c", Some("2027-11-01T00:00:00Z")),
        token(&mine, None),
    ];
    FakeApi::default().answer("GET /api/v1/projects/shop/tokens?limit=50", &listed(items))
}

fn show(api: &FakeApi, session: &Session, method: Method<'_>, project: Option<&str>, rest: &[&str]) -> Reply {
    with_request(api, session, method, "/tokens", async |request| route(request, project, rest).await).unwrap()
}

#[test]
fn the_list_marks_expiring_tokens_and_the_users_token() {
    let page = text(&show(&api(), &session(Role::Admin), Method::Get, Some("shop"), &[]));
    let count = |what: &str| page.matches(what).count();
    assert_eq!((count("Expires soon"), count(">Expired<"), count("You are signed in with this token")), (1, 1, 1));
    assert!(page.contains("192.0.2.7") && page.contains("&lt;ci&gt;") && !page.contains("<ci>"));
    assert!(page.contains("action=\"/projects/shop/tokens/0a/revoke\""));
    for role in Role::ALL {
        assert!(page.contains(role_description(role)), "{role}");
    }
}

#[test]
fn a_token_is_shown_on_the_page_that_answers() {
    let issued = TokenItem { token: Some("gate_fresh".to_owned()), ..token("0d", None) };
    let api = FakeApi::default().answer("POST /api/v1/projects/shop/tokens", &issued);
    let form =
        Form::parse(b"name=ci&role=uploader&targets=web%0D%0A%0D%0A+api&variants=pr-.*&expires_in_days=30&subject=");
    let reply = show(&api, &session(Role::Admin), Method::Post(&form), Some("shop"), &[]);
    assert_eq!(reply.status, 200);
    assert!(text(&reply).contains("value=\"gate_fresh\"") && text(&reply).contains("not shown again"));
    assert!(reply.headers.iter().all(|(_, value)| !value.contains("gate_fresh")));
    let body = r#"{"name":"ci","role":"uploader","targets":["web","api"],"variants":["pr-.*"],"baselines":false,"expires_in_days":30}"#;
    assert_eq!(*api.sent.borrow(), [("POST /api/v1/projects/shop/tokens".to_owned(), body.to_owned())]);
}

#[test]
fn the_form_for_account_admins_offers_no_roles() {
    let issued = TokenItem { token: Some("gate_fresh".to_owned()), ..token("0d", None) };
    let api = FakeApi::default()
        .answer("GET /api/v1/tokens?limit=50", &listed(Vec::new()))
        .answer("POST /api/v1/tokens", &issued);
    let session = Session { project: None, ..session(Role::Admin) };
    let page = text(&show(&api, &session, Method::Get, None, &[]));
    assert!(
        page.contains("No active tokens.") && !page.contains("name=\"role\"") && !page.contains("name=\"targets\"")
    );
    let form = Form::parse(b"name=ann&subject=Ann");
    show(&api, &session, Method::Post(&form), None, &[]);
    assert_eq!(api.sent.borrow()[0].1, r#"{"name":"ann","subject":"Ann"}"#);
}

#[test]
fn refused_values_stay_in_the_form() {
    let refusal = Problem::new(Code::InvalidBody, "field `targets`: <script>");
    let api = api().refuse("POST /api/v1/projects/shop/tokens", &refusal);
    let form = Form::parse(b"name=%22x&role=admin&targets=web&expires_in_days=1");
    let reply = show(&api, &session(Role::Admin), Method::Post(&form), Some("shop"), &[]);
    let page = text(&reply);
    assert_eq!(reply.status, 400);
    for kept in ["&lt;script&gt;", "value=\"&quot;x\"", "value=\"admin\" checked", ">web</textarea>"] {
        assert!(page.contains(kept), "{kept} is missing: {page}");
    }
    let wrong = Form::parse(b"name=x&role=viewer&expires_in_days=soon");
    assert_eq!(show(&api, &session(Role::Admin), Method::Post(&wrong), Some("shop"), &[]).status, 400);
    let many = Form::parse(format!("name=x&role=viewer&targets={}", "web%0A".repeat(51)).as_bytes());
    assert_eq!(show(&api, &session(Role::Admin), Method::Post(&many), Some("shop"), &[]).status, 400);
    assert_eq!(api.sent.borrow().len(), 1, "an invalid form is not sent");
}

#[test]
fn a_token_is_revoked_and_the_list_shown_again() {
    let api = FakeApi::default().answer("DELETE /api/v1/projects/shop/tokens/0a", &());
    let form = Form::default();
    let reply = show(&api, &session(Role::Admin), Method::Post(&form), Some("shop"), &["0a", "revoke"]);
    assert!(reply.headers.contains(&("location", "/projects/shop/tokens?done=token-revoked".to_owned())));
}

#[test]
fn a_refused_revocation_is_said_above_the_list() {
    let second = Problem::new(Code::Conflict, "token `ci` was already revoked by `sam`");
    let api = api().refuse("DELETE /api/v1/projects/shop/tokens/0a", &second);
    let reply = show(&api, &session(Role::Admin), Method::Post(&Form::default()), Some("shop"), &["0a", "revoke"]);
    let page = text(&reply);
    assert!(page.contains("The token was not revoked: token `ci` was already revoked by `sam`."), "{page}");
    assert!(reply.status == 409 && page.contains("Issue a token") && page.contains("192.0.2.7"), "{page}");
}
