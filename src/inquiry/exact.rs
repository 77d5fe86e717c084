//! Numbers as strings: a number in JSON may come back changed in its last bit, and a record is read
//! and written again at every step.

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = String::deserialize(deserializer)?.parse().ok();
    number
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| D::Error::custom("wanted a finite number in a string"))
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[test]
    fn a_number_comes_back_to_its_last_bit_and_one_that_is_none_not_at_all() {
        #[derive(Serialize, Deserialize)]
        struct Score(#[serde(with = "super")] f64);
        for at in 1..2_000_u64 {
            let score = 0.3
                + f64::from_bits(at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12 | 0x3ff0 << 48) / 8.0;
            let Score(again) =
                serde_json::from_str(&serde_json::to_string(&Score(score)).unwrap()).unwrap();
            assert_eq!(again.to_bits(), score.to_bits());
        }
        for wrong in ["\"NaN\"", "\"inf\"", "0.5", "\"\""] {
            assert!(serde_json::from_str::<Score>(wrong).is_err(), "{wrong}");
        }
    }
}
