//! The demonstration's photos: files of published packages, each of a known person.

use smrt::embed::{self, Package, PackageError};

/// The packages, each with the photos that are wanted of it.
///
/// Errors: a list that doesn't parse.
pub(crate) fn packages() -> Result<Vec<Package>, PackageError> {
    embed::packages(include_str!("photos.toml"))
}

#[cfg(test)]
mod tests {
    use smrt::embed::PackageMember;

    use super::*;

    #[test]
    fn the_list_of_demonstration_photos_parses_and_every_photo_has_a_subject() {
        let list = packages().unwrap();
        let members: Vec<&PackageMember> = list.iter().flat_map(|p| &p.members).collect();
        assert!(
            members.len() >= 5 && members.iter().all(|m| m.subject.is_some() && m.name().is_ok())
        );
        assert!(list.iter().all(|p| p.licence.is_some()));
    }
}
