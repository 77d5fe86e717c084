//! The other side of the door: an agency's feed and a console's search.
