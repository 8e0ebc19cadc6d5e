//! The comparison of people: pages offer a decision to the requester exactly where the API lets the requester decide.

use domain::ids::Subject;

/// True if both names may be those of one person, as the API compares them.
pub(crate) fn is_same_person(one: &str, other: &str) -> bool {
    match (one.parse::<Subject>(), other.parse::<Subject>()) {
        (Ok(one), Ok(other)) => one.is_same_person(&other),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_person;

    #[test]
    fn another_spelling_is_the_same_person_and_another_name_is_not() {
        for spelling in ["ann", "ANN ", "\u{430}nn", "a\u{200b}nn"] {
            assert!(is_same_person("ann", spelling), "{spelling:?}");
        }
        assert!(!is_same_person("ann", "bob") && !is_same_person("ann", "") && is_same_person("", ""));
    }
}
