use super::*;
use crate::testing::{Compared, Scan, finding};
use finding::{Endpoint, Finding, Kind};
use proptest::prelude::*;

fn compared(current: &[Finding], reference: &[Finding]) -> Compared {
    Scan::new(2, current).compare(true, Some(&Scan::new(1, reference).first()), None)
}

/// Checks the stages by which the findings are matched.
fn check(current: &[Finding], reference: &[Finding], expected: &[Option<Stage>]) {
    assert_eq!(compared(current, reference).stages(), expected);
}

fn at(path: &str, line: u32, code: &[&str]) -> Finding {
    finding(0, "B1", path, line, code)
}

const RUN: &str = "subprocess.run(command, shell=True)";

#[test]
fn moved_lines_match_and_a_copy_elsewhere_does_not() {
    let old = at("a.py", 10, &["x", RUN, "y"]);
    let new = [at("a.py", 90, &["x", RUN, "y"]), at("b.py", 10, &["x", RUN, "y"])];
    check(&new, &[old], &[Some(Stage::Context), None]);
}

#[test]
fn code_with_a_changed_neighbour_matches_by_its_snippet() {
    check(&[at("a.py", 11, &["changed", RUN, "y"])], &[at("a.py", 10, &["x", RUN, "y"])], &[Some(Stage::Snippet)]);
}

#[test]
fn reindented_and_reformatted_code_is_the_same() {
    let new = at("a.py", 11, &["  x", "    subprocess.run(command,  shell=True,)", "  y"]);
    check(&[new], &[at("a.py", 10, &["x", RUN, "y"])], &[Some(Stage::Context)]);
}

#[test]
fn other_code_elsewhere_is_new() {
    check(&[at("a.py", 90, &["x", "yaml.load(body)", "y"])], &[at("b.py", 10, &["x", RUN, "y"])], &[None]);
}

#[test]
fn equal_occurrences_pair_in_the_order_of_their_lines() {
    let code = |line| at("a.py", line, &["x", RUN, "y"]);
    let new = compared(&[code(30), code(10), code(20)], &[code(1), code(2), code(3)]);
    let was: Vec<_> = (0..3).map(|result| new.of(result).found.as_ref().unwrap().line.unwrap()).collect();
    assert_eq!(was, [3, 1, 2]);
}

#[test]
fn of_unequal_numbers_those_that_moved_like_their_neighbours_are_paired() {
    let code = |line| at("a.py", line, &["x", RUN, "y"]);
    let known = |line| at("a.py", line, &["p", "unique()", "q"]);
    // Everything moved down by 100 lines, and a copy was put before it.
    let new = compared(&[code(50), code(110), known(120), code(130)], &[code(10), known(20), code(30)]);
    assert_eq!(new.stages(), [None, Some(Stage::Context), Some(Stage::Context), Some(Stage::Context)]);
    assert_eq!(new.of(3).found.as_ref().unwrap().line, Some(30));
}

#[test]
fn a_renamed_file_is_followed() {
    let file = |path: &str| [at(path, 1, &["x", RUN, "y"]), at(path, 9, &["x", "yaml.load(body)", "y"])];
    check(&file("new/b.py"), &file("a.py"), &[Some(Stage::Renamed); 2]);
    check(&file("new/a.py"), &file("a.py"), &[Some(Stage::Renamed); 2]);
}

#[test]
fn renaming_all_files_keeps_every_match() {
    let files = |folder: &str| {
        let file =
            |n: u32| at(&format!("{folder}/f{n}.py"), n, &["x", &format!("subprocess.run(command{})", n % 7), "y"]);
        (0..40).map(file).collect::<Vec<_>>()
    };
    let new = compared(&files("src/app"), &files("lib"));
    assert!(new.stages().iter().all(Option::is_some), "{:?}", new.stages());
    let same = |result| new.of(result).found.as_ref().unwrap().path.clone().unwrap() == format!("lib/f{result}.py");
    assert!((0..40).all(same));
}

/// Findings without code, each in a file below `folder`.
fn without_code(folder: &str, files: &[&str]) -> Vec<Finding> {
    files.iter().map(|file| at(&format!("{folder}{file}"), 8, &[])).collect()
}

#[test]
fn a_renamed_folder_is_followed_though_its_files_have_one_name_and_no_code() {
    let files = ["a/src/App.java", "b/src/App.java", "c/src/App.java"];
    let pairs = [
        ("/home/runner/shop/", "/builds/shop/"),
        ("/var/workspace/shop_main/", "/var/workspace/shop_PR-17/"),
        ("services/", "apps/"),
        ("", "/home/runner/shop/"),
        ("/home/runner/shop/", ""),
    ];
    for (old, new) in pairs {
        let compared = compared(&without_code(new, &files), &without_code(old, &files));
        assert_eq!(compared.stages(), [Some(Stage::Renamed); 3], "{old} to {new}");
        for (result, file) in (0..).zip(files) {
            let was = compared.of(result).found.as_ref().unwrap().path.clone();
            assert_eq!(was, Some(format!("{old}{file}")), "{old} to {new}");
        }
    }
}

#[test]
fn two_renamed_folders_are_followed() {
    let (files, others) = (["a/App.java", "b/App.java"], ["x/main.tf", "y/main.tf"]);
    let scan = |one, two| [without_code(one, &files), without_code(two, &others)].concat();
    check(&scan("apps/", "infra/"), &scan("services/", "terraform/"), &[Some(Stage::Renamed); 4]);
}

#[test]
fn a_folder_that_still_exists_was_copied_and_not_renamed() {
    let files = ["a/App.java", "b/App.java"];
    let old = without_code("services/", &files);
    let both = [without_code("apps/", &files), old.clone()].concat();
    check(&both, &old, &[None, None, Some(Stage::Message), Some(Stage::Message)]);
}

#[test]
fn distinct_code_that_moved_to_another_file_matches() {
    let stay = |path: &str| at(path, 1, &["x", "yaml.load(body)", "y"]);
    let old = [stay("a.py"), stay("b.py"), at("a.py", 9, &["x", RUN, "y"])];
    check(
        &[stay("a.py"), stay("b.py"), at("b.py", 5, &["p", RUN, "q"])],
        &old,
        &[Some(Stage::Context), Some(Stage::Context), Some(Stage::Moved)],
    );
    let short = |path: &str, line| at(path, line, &["p", "f()", "q"]);
    let old = [stay("a.py"), stay("b.py"), short("a.py", 9)];
    let new = compared(&[stay("a.py"), stay("b.py"), short("b.py", 9)], &old);
    assert_eq!(new.stages()[2], None, "four characters may occur anywhere");
}

#[test]
fn an_edited_line_matches_only_near_its_old_position() {
    let edited = "subprocess.run(command, shell=True, check=False)";
    let old = [at("a.py", 10, &["x", RUN, "y"]), at("a.py", 200, &["x", "yaml.load(body)", "y"])];
    let new = compared(&[at("a.py", 12, &["x", edited, "y"]), old[1].clone()], &old);
    let found = new.of(0).found.as_ref().unwrap();
    assert_eq!((found.stage, found.confidence), (Stage::Edited, Confidence::Medium));
    assert!((80..100).contains(&found.similarity.unwrap()), "{found:?}");
    // The other finding says that lines have not moved: forty are too far for an edit, not for equal numbers.
    let new = compared(&[at("a.py", 50, &["x", edited, "y"]), old[1].clone()], &old);
    let found = new.of(0).found.as_ref().unwrap();
    assert_eq!((found.stage, found.confidence), (Stage::Counted, Confidence::Low));
    check(&[at("a.py", 50, &["x", "os.popen(name).read()", "y"]), old[1].clone()], &old, &[None, Some(Stage::Context)]);
}

#[test]
fn a_call_that_a_formatter_broke_into_lines_matches() {
    let long = |n: u32| format!("requests.get(address_{n}, headers=headers, verify=False)");
    let old: Vec<_> = (1..6).map(|n| at("a.py", n * 10, &["x", &long(n), "y"])).collect();
    let new: Vec<_> = (1..6).map(|n| at("a.py", n * 40, &["x", "requests.get(", &format!("address_{n},")])).collect();
    let new = compared(&new, &old);
    assert_eq!(new.stages(), [Some(Stage::Counted); 5]);
    assert_eq!(new.of(2).found.as_ref().unwrap().line, Some(30));
}

#[test]
fn moved_code_does_not_match_as_reformatted() {
    let (known, old) = (|line| at("a.py", line, &["p", "yaml.load(body)", "q"]), at("a.py", 130, &["x", RUN, "y"]));
    let new = |line| at("a.py", line, &["x", "subprocess.run(", "command,"]);
    check(&[new(50), known(90)], &[known(90), old.clone()], &[None, Some(Stage::Context)]);
    check(&[new(25), known(20)], &[known(90), old], &[Some(Stage::Counted), Some(Stage::Context)]);
}

#[test]
fn without_code_the_message_matches_with_its_confidence() {
    let bare = |line| at("a.py", line, &[]);
    let confidence = |current: &[Finding], reference: &[Finding]| {
        let new = compared(current, reference);
        let found = new.of(0).found.clone().unwrap();
        (found.stage, found.confidence)
    };
    assert_eq!(confidence(&[bare(10)], &[bare(10)]), (Stage::Message, Confidence::High));
    assert_eq!(confidence(&[bare(12)], &[bare(10)]), (Stage::Message, Confidence::Medium));
    assert_eq!(confidence(&[bare(10)], &[at("a.py", 12, &["x", RUN, "y"])]), (Stage::Message, Confidence::Medium));
    assert_eq!(confidence(&[at("a.py", 12, &["x", RUN, "y"])], &[bare(10)]), (Stage::Message, Confidence::Medium));
}

#[test]
fn numbers_of_lines_in_a_message_do_not_matter() {
    let warning = |line: u32| Finding { message: format!("unused since line {line}"), ..at("a.py", line, &[]) };
    check(&[warning(12)], &[warning(3)], &[Some(Stage::Message)]);
}

#[test]
fn a_fingerprint_replaces_code_unless_it_is_the_same_everywhere() {
    let with = |path: &str, line, value: &str| {
        let fingerprints = BTreeMap::from([("hash/v1".to_owned(), value.to_owned())]);
        Finding { fingerprints, ..at(path, line, &[]) }
    };
    let old = [with("a.py", 1, "one"), with("a.py", 2, "two")];
    let new = compared(&[with("a.py", 2, "one"), with("a.py", 1, "two")], &old);
    let was: Vec<_> = (0..2).map(|result| new.of(result).found.as_ref().unwrap().line.unwrap()).collect();
    assert_eq!((new.stages(), was), (vec![Some(Stage::Snippet); 2], vec![1, 2]));
    let old = [with("a.py", 1, "same"), with("a.py", 2, "same")];
    check(&[with("a.py", 1, "same"), with("a.py", 2, "same")], &old, &[Some(Stage::Message); 2]);
}

#[test]
fn an_unchanged_file_is_compared_by_its_lines() {
    let hashed = |path: &str, line, hash: &str| Finding { file_sha256: Some(hash.repeat(64)), ..at(path, line, &[]) };
    let file = |path: &str, hash: &str| [hashed(path, 3, hash), hashed(path, 7, hash)];
    check(&file("a.py", "a"), &file("a.py", "a"), &[Some(Stage::UnchangedFile); 2]);
    check(&file("b.py", "a"), &file("a.py", "a"), &[Some(Stage::Renamed); 2]);
    check(&file("a.py", "b"), &file("a.py", "a"), &[Some(Stage::Message); 2]);
}

#[test]
fn a_page_matches_under_other_ids_and_on_another_host() {
    let page = |url: &str| Finding {
        endpoint: Some(Endpoint { url: Some(url.to_owned()), method: Some("GET".to_owned()), ..Endpoint::default() }),
        ..Finding::new(Kind::Web, "xss", "t", "m")
    };
    let old = [page("https://main.example/orders/1"), page("https://main.example/basket")];
    let new = [page("https://main.example/orders/2"), page("https://main.example/basket")];
    check(&new, &old, &[Some(Stage::Snippet), Some(Stage::Context)]);
    let new = [page("https://preview.example/orders/1"), page("https://preview.example/basket")];
    check(&new, &old, &[Some(Stage::Renamed); 2]);
    check(&[page("https://main.example/login")], &old, &[None]);
}

#[test]
fn a_resource_matches_in_any_file() {
    let bucket = |path: &str, line, name: &str| Finding {
        kind: Kind::Infrastructure,
        resource: Some(format!("aws_s3_bucket.{name}")),
        ..at(path, line, &["resource {", "acl = public", "}"])
    };
    let old = [bucket("main.tf", 5, "logs"), bucket("main.tf", 25, "data")];
    let new = [bucket("main.tf", 25, "logs"), bucket("storage.tf", 5, "data"), bucket("main.tf", 45, "more")];
    check(&new, &old, &[Some(Stage::Context), Some(Stage::Moved), None]);
}

#[test]
fn many_equal_findings_are_matched_quickly() {
    let many = |count: u32| (0..count).map(|n| at("a.py", n % 300 + 1, &["x", RUN, "y"])).collect::<Vec<_>>();
    let new = compared(&many(6_000), &many(4_000));
    assert_eq!(new.stages().iter().flatten().count(), 4_000);
    let edited = |count: u32, with: &str| {
        let code = |n: u32| format!("subprocess.run(command_{n}, {with})");
        (0..count).map(|n| at("a.py", n % 10 + 1, &["x", &code(n), "y"])).collect::<Vec<_>>()
    };
    let new = compared(&edited(3_000, "shell=True"), &edited(2_000, "shell=False"));
    let stages: BTreeSet<_> = new.stages().into_iter().flatten().collect();
    assert_eq!(stages, BTreeSet::from([Stage::Edited]));
}

proptest! {
    /// Lines that are inserted above and other indentation change no match.
    #[test]
    fn inserted_lines_and_indents_lose_no_match(
        lines in proptest::collection::btree_set(1..200_u32, 1..20),
        kinds in proptest::collection::vec(0..3_usize, 20),
        inserted in 1..500_u32,
        indent in 0..8_usize,
    ) {
        let code = ["eval(input())", RUN, "yaml.load(body)"];
        let file = |shift: u32, indent: usize| -> Vec<Finding> {
            let own = |kind: usize| format!("{}{}", " ".repeat(indent), code[kind]);
            lines.iter().zip(&kinds).map(|(line, kind)| at("a.py", line + shift, &["x", &own(*kind), "y"])).collect()
        };
        let new = compared(&file(inserted, indent), &file(0, 0));
        for (result, line) in (0..).zip(&lines) {
            let found = new.of(result).found.clone().unwrap();
            prop_assert_eq!((found.stage, found.line, found.confidence), (Stage::Context, Some(*line), Confidence::High));
        }
    }
}
