//! The condition under which a field is left out of a stored form.

/// True if the value is its type's default, which an absent field is read as.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
