use super::*;
use finding::Unit;

fn spots(reaches: &[Reach]) -> Vec<BlindSpot> {
    reaches.iter().map(|reach| BlindSpot { reach: reach.clone(), reason: "syntax error".to_owned() }).collect()
}

fn file(path: &str) -> Reach {
    Reach::File(path.to_owned())
}

fn folder(path: &str) -> Reach {
    Reach::Folder(path.to_owned())
}

fn is_covered(reach: Reach, exchanges: &Exchanges, path: &str, rule: &str, tool: &str) -> bool {
    let issue = RuleAndTool { rule: rule.to_owned(), tool: tool.to_owned() };
    Coverage::of(&spots(&[reach]), exchanges).spot_of(Some(path), Some(&issue)).is_some()
}

#[test]
fn a_blind_spot_covers_what_is_inside_it() {
    let none = Exchanges::default();
    let cases = [
        (file("./src\\a.py"), "src/a.py", true),
        (file("src/a.py"), "src/a.pyc", false),
        (file("a.py"), "src/a.py", false),
        (file("192.0.2.1"), "192.0.2.1:443", true),
        (folder("src"), "src/deep/a.py", true),
        (folder("src/"), "src/a.py", true),
        (folder("src"), "src2/a.py", false),
        (folder("."), "src/a.py", true),
        (folder("."), "/other/a.py", false),
        (Reach::Rule("B324".to_owned()), "any.py", true),
        (Reach::Rule("B325".to_owned()), "any.py", false),
        (Reach::Tool("Bandit".to_owned()), "any.py", true),
        (Reach::Tool("semgrep".to_owned()), "any.py", false),
        (Reach::Everything, "any.py", true),
    ];
    for (reach, path, expected) in cases {
        assert_eq!(is_covered(reach.clone(), &none, path, "B324", "bandit"), expected, "{reach} {path}");
    }
    let nowhere = Coverage::of(&spots(&[file("a.py"), Reach::Rule("B1".to_owned())]), &none);
    assert_eq!(nowhere.spot_of(None, None), None, "an occurrence without a path is in no file");
    assert!(!nowhere.is_empty() && Coverage::default().is_empty());
    assert!(needs_rules(&spots(&[file("a.py"), Reach::Rule("B1".to_owned())])));
    assert!(!needs_rules(&spots(&[file("a.py"), Reach::Everything])));
}

#[test]
fn another_folder_of_the_checkout_covers_the_same_files() {
    let moved = Exchanges::of([("/builds/b/src/x.py", "/home/runner/a/src/x.py"), ("same.py", "same.py")]);
    assert!(is_covered(file("/builds/b/src/a.py"), &moved, "/home/runner/a/src/a.py", "", ""));
    assert!(!is_covered(file("/builds/b/src/a.py"), &moved, "/home/runner/a/lib/a.py", "", ""));
    let here = spots(&[file("/builds/b/src/a.py")]);
    let there = spots(&[file("/home/runner/a/src/a.py")]);
    assert_eq!(states(&here, &there, &moved), [SpotState::Known]);
    // Nothing was matched, so nobody knows the other folder: the name of the file decides.
    let unknown = Exchanges::default();
    assert!(is_covered(file("/builds/b/src/a.py"), &unknown, "/home/runner/a/src/a.py", "", ""));
    assert!(!is_covered(file("/builds/b/src/a.py"), &unknown, "/home/runner/a/src/b.py", "", ""));
    // A renamed file is no renamed folder.
    assert!(Exchanges::of([("src/new.py", "src/old.py")]).is_empty());
}

fn states(current: &[BlindSpot], reference: &[BlindSpot], exchanges: &Exchanges) -> Vec<SpotState> {
    compare(current, reference, exchanges, &BTreeMap::new()).iter().map(|spot| spot.state).collect()
}

#[test]
fn blind_spots_are_new_known_or_gone() {
    let none = Exchanges::default();
    let (a, b) = (file("a.py"), file("b.py"));
    let compared =
        compare(&spots(&[a.clone(), b.clone()]), &spots(&[file("./b.py"), file("c.py")]), &none, &[(1, 7)].into());
    let rows: Vec<_> = compared.iter().map(|row| (row.spot.reach.clone(), row.state)).collect();
    assert_eq!(rows, [(a.clone(), SpotState::New), (b, SpotState::Known), (file("c.py"), SpotState::Gone)]);
    assert_eq!(compared.iter().map(|row| row.not_seen).collect::<Vec<_>>(), [0, 7, 0]);
    assert_eq!(states(&spots(std::slice::from_ref(&a)), &[], &none), [SpotState::New]);
    assert_eq!(
        states(&spots(&[file("src/a.py")]), &spots(&[folder("src")]), &none),
        [SpotState::Known, SpotState::Gone]
    );
    assert_eq!(states(&spots(&[folder("src")]), &spots(&[file("src/a.py")]), &none), [SpotState::New]);
    assert_eq!(states(&spots(&[Reach::Everything]), &spots(&[a]), &none), [SpotState::New]);
}

#[test]
fn a_scan_that_examined_less_than_a_share_is_blind_to_everything() {
    let before = Examined::from([(Unit::Files, 200), (Unit::Rules, 50)]);
    let now = |files| Examined::from([(Unit::Files, files), (Unit::Lines, 1)]);
    let than = |own| ExaminedBefore { own, expected: &before };
    let less = |files, percent| examined_less(&now(files), than(&before), percent);
    let spot = less(99, 50).unwrap();
    let reason = "the scanner examined 99 files, the reference scan 200";
    assert_eq!((spot.reach, spot.reason.as_str()), (Reach::Everything, reason));
    assert_eq!(less(100, 50), None);
    assert_eq!(less(0, 0), None, "a share of 0 compares nothing");
    assert_eq!(examined_less(&Examined::new(), than(&before), 50), None, "a report that states nothing");
    // The reference scan examined too little, too.
    let little = now(99);
    let spot = examined_less(&now(60), than(&little), 50).unwrap();
    assert_eq!(spot.reason, "the scanner examined 60 files, before 200");
    let spot = examined_less(&now(40), than(&little), 50).unwrap();
    assert_eq!(spot.reason, "the scanner examined 40 files, the reference scan 99");
}

#[test]
fn a_blind_spot_over_everything_is_known_by_its_reason() {
    let everything = |reason: &str| BlindSpot { reach: Reach::Everything, reason: reason.to_owned() };
    let (little, less) = (
        "the scanner examined 99 files, the reference scan 200",
        "the scanner examined 9 files, the reference scan 99",
    );
    let cases = [
        ("no token", "no token", SpotState::Known),
        ("no token", "2 files could not be scanned", SpotState::New),
        ("2 files could not be scanned", "3 files could not be scanned", SpotState::New),
        (little, "the scanner examined 98 files, before 200", SpotState::Known),
        (little, less, SpotState::New),
        ("no token", "the scanner examined 98 files, before 200", SpotState::New),
    ];
    for (reference, current, expected) in cases {
        let compared = states(&[everything(current)], &[everything(reference)], &Exchanges::default());
        assert_eq!(compared[0], expected, "{reference}; {current}");
        assert_eq!(compared.len(), if expected == SpotState::Known { 1 } else { 2 }, "{reference}; {current}");
    }
    let file = spots(&[file("a.py")]);
    let compared = states(&file, &[everything("no token")], &Exchanges::default());
    assert_eq!(compared, [SpotState::New, SpotState::Gone], "it may be new");
}
