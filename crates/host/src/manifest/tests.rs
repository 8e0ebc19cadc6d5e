//! Tests of the manifest: what is read, and how each refusal names its cause.

use super::*;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"app\"\n";

fn parse(rest: &str) -> Result<Manifest, Error> {
    Manifest::parse("spin.toml", &format!("{HEAD}{rest}"))
}

#[test]
fn a_full_manifest_is_read() {
    let text = r#"
        spin_manifest_version = 2
        [application]
        name = "app"
        version = "1.2.3"
        description = "words"
        authors = ["someone"]
        targets = ["spin-up:4.1"]
        [variables]
        plain = { default = "x" }
        token = { required = true, secret = true }
        [[trigger.http]]
        id = "first"
        route = "/a/..."
        component = "one-two"
        [[trigger.http]]
        route = { private = true }
        component = "one-two"
        [[trigger.http]]
        route = "/fixed"
        static_response = { status_code = 418, headers = { "content-type" = "text/plain" }, body = "tea" }
        [component.one-two]
        source = "one.wasm"
        description = "words"
        key_value_stores = ["default"]
        allowed_outbound_hosts = ["https://example.com"]
        environment = { A = "b" }
        [component.one-two.variables]
        plain = "{{ plain }}"
        [component.one-two.build]
        command = "cargo build"
        watch = ["src/**/*.rs"]
    "#;
    let manifest = Manifest::parse("spin.toml", text).unwrap();
    assert_eq!(manifest.application.version, "1.2.3");
    assert!(manifest.variables["token"].required() && manifest.variables["token"].secret);
    assert_eq!(manifest.variables["plain"].default.as_deref(), Some("x"));
    let component = &manifest.components["one-two"];
    assert_eq!(component.source, "one.wasm");
    assert_eq!(component.variables["plain"], "{{ plain }}");
    assert_eq!(component.environment["A"], "b");
    assert!(component.key_value_stores.contains("default"));
    let routes: Vec<_> = manifest.triggers.iter().map(|trigger| &trigger.route).collect();
    assert_eq!(routes, [&Route::Public("/a/...".to_owned()), &Route::Private, &Route::Public("/fixed".to_owned())]);
    let Target::Static(response) = &manifest.triggers[2].target else { panic!("a static response") };
    assert_eq!((response.status_code.as_u16(), response.body.as_str()), (418, "tea"));
}

#[test]
fn what_is_not_supported_is_named_with_its_line() {
    let component = "[component.a]\nsource = \"a.wasm\"\n";
    let cases = [
        (format!("{component}sqlite_databases = [\"default\"]"), 6, "sqlite_databases"),
        (format!("{component}files = [\"a\"]"), 6, "files"),
        (format!("{component}ai_models = [\"a\"]"), 6, "ai_models"),
        (format!("{component}[component.a.dependencies]\n\"a:b/c\" = \"1\""), 6, "dependencies"),
        (format!("{component}[component.a.tool.x]\ny = 1"), 6, "tool"),
        ("[[trigger.redis]]\nchannel = \"a\"\ncomponent = \"a\"".to_owned(), 4, "redis"),
        ("[[trigger.http]]\nroute = \"/\"\nexecutor = { type = \"wagi\" }".to_owned(), 6, "executor"),
        ("[[trigger.http]]\nroute = { private = true, other = 1 }".to_owned(), 5, "other"),
        ("[variables]\na = { default = \"\", provider = \"vault\" }".to_owned(), 5, "provider"),
        ("[component.a]\nsource = { url = \"https://x\", digest = \"y\" }".to_owned(), 5, "expected a string"),
        ("[nonsense]".to_owned(), 4, "nonsense"),
    ];
    for (text, line, named) in cases {
        let message = parse(&text).unwrap_err().to_string();
        assert!(message.starts_with(&format!("spin.toml:{line}: ")), "{message}");
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let cases = [
        (
            "[component.A_b]\nsource = \"a\"",
            "spin.toml: component id \"A_b\" is not kebab-case (lower-case letters and digits in groups joined by single hyphens)",
        ),
        (
            "[variables]\nA = { default = \"\" }",
            "spin.toml: variable \"A\" is not snake_case (lower-case letters and digits in groups joined by single underscores)",
        ),
        ("[variables]\na = { }", "spin.toml: variable \"a\" must have exactly one of `required = true` and `default`"),
        (
            "[variables]\na = { default = \"\", required = true }",
            "spin.toml: variable \"a\" must have exactly one of `required = true` and `default`",
        ),
        (
            "[[trigger.http]]\nroute = \"/x\"\ncomponent = \"b\"",
            "spin.toml: the trigger for \"/x\" names component \"b\", which the manifest does not declare",
        ),
        (
            "[[trigger.http]]\nroute = \"/x\"",
            "spin.toml: the trigger for \"/x\" must have exactly one of `component` and `static_response`",
        ),
        (
            "[[trigger.http]]\nroute = { private = false }\ncomponent = \"b\"",
            "spin.toml: a route is a pattern or { private = true }, not { private = false }",
        ),
        (
            "[[trigger.http]]\nroute = \"/x\"\nstatic_response = { status_code = 42 }",
            "spin.toml: the static response for \"/x\" has an invalid status_code 42",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn another_version_is_refused_before_its_keys() {
    let error = Manifest::parse("spin.toml", "spin_manifest_version = 1\nname = \"old\"").unwrap_err();
    assert_eq!(error.to_string(), "spin.toml: spin_manifest_version is 1, but this host reads version 2 only");
}

#[test]
fn names_have_rules() {
    for (name, kebab, snake) in [
        ("a", true, true),
        ("a-b1", true, false),
        ("a_b", false, true),
        ("a_1", false, true),
        ("a-", false, false),
        ("a--b", false, false),
        ("a__b", false, false),
        ("1a", false, false),
        ("", false, false),
        ("A", false, false),
    ] {
        assert_eq!((is_kebab_case(name), is_snake_case(name)), (kebab, snake), "{name:?}");
    }
}
