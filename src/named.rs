//! Closed lists: an enum without fields gets all its values, a name for programs and words for
//! people, in one table beside its definition. Whoever lists or words the values takes them from
//! it, so that a new value is one line there.

/// Gives an enum `ALL`, `name()`, `words()` and `named()` from a table of its values, each once.
macro_rules! named {
    ($type:ident { $($value:ident = $name:literal $words:literal;)+ }) => {
        impl $type {
            /// All values, in their order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// Its name in JSON, in the log and in figures.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }

            /// Its words, for people.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$value => $words,)+
                }
            }

            /// The value of a name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use named;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro is made for public types")]
mod tests {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Light {
        Red,
        Green,
    }
    named!(Light {
        Red = "red" "stop";
        Green = "green" "go";
    });

    #[test]
    fn a_value_is_read_by_its_name_and_stands_in_the_list() {
        assert_eq!(Light::ALL, [Light::Red, Light::Green]);
        assert_eq!(Light::named("green").map(Light::words), Some("go"));
        assert_eq!(Light::named("blue"), None);
        assert!(Light::ALL.into_iter().all(|light| Light::named(light.name()) == Some(light)));
    }
}
