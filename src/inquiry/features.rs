//! Facial features: what two faces are compared by. A closed list of components of face and head,
//! and of features of each.
//!
//! The order follows the feature list for morphological comparison of the Facial Identification
//! Scientific Working Group (FISWG): from the whole to the parts, then to what is peculiar to one
//! person. The words are our own. Nothing here is measured; an examiner looks, and says of a
//! feature that it is alike or that it differs.

use serde::{Deserialize, Serialize};

/// Components, their features, and the words for each; code names stand in the log for ever, words
/// may be improved.
macro_rules! features {
    ($($component:ident $component_words:literal: { $($feature:ident $code:literal $words:literal,)+
        })+) => {
        /// A part of face and head.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Component {
            $(#[doc = $component_words] $component,)+
        }

        /// A feature of a component, as it can be seen in two photos.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
            utoipa::ToSchema)]
        pub enum Feature {
            $($(#[doc = $words] #[serde(rename = $code)] $feature,)+)+
        }

        impl Component {
            /// All components, in the order in which they are looked at.
            pub const ALL: &[Self] = &[$(Self::$component),+];

            /// The component in words.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$component => $component_words,)+
                }
            }

            /// Its features, in the order in which they are looked at.
            pub fn features(self) -> &'static [Feature] {
                match self {
                    $(Self::$component => &[$(Feature::$feature),+],)+
                }
            }
        }

        impl Feature {
            /// The name by which JSON and the log know it.
            pub fn code(self) -> &'static str {
                match self {
                    $($(Self::$feature => $code,)+)+
                }
            }

            /// The feature in words, read after its component's.
            pub fn words(self) -> &'static str {
                match self {
                    $($(Self::$feature => $words,)+)+
                }
            }

            /// The component that it is a feature of.
            pub fn component(self) -> Component {
                match self {
                    $($(Self::$feature)|+ => Component::$component,)+
                }
            }
        }
    };
}

features! {
    Skin "skin": {
        SkinTexture "skin_texture" "texture and pores",
        SkinTone "skin_tone" "evenness of tone",
    }
    Outline "outline of face and head": {
        FaceShape "face_shape" "shape of the face",
        HeadShape "head_shape" "shape of the head and its crown",
    }
    Proportions "proportions of the face": {
        UpperFace "proportion_upper" "hairline to brows against the rest",
        MiddleFace "proportion_middle" "brows to base of the nose against the rest",
        LowerFace "proportion_lower" "base of the nose to chin against the rest",
        Asymmetry "proportion_asymmetry" "asymmetry of the two sides",
    }
    Hairline "hairline": {
        HairlineShape "hairline_shape" "course along forehead and temples",
        HairlineRecession "hairline_recession" "receding and bald areas",
        Cowlicks "hairline_cowlicks" "whorls and peaks",
    }
    Forehead "forehead": {
        ForeheadShape "forehead_shape" "height, breadth and slope",
        BrowRidge "forehead_brow_ridge" "brow ridge",
    }
    Eyebrows "eyebrows": {
        EyebrowShape "eyebrows_shape" "shape and arch",
        EyebrowPlace "eyebrows_place" "place and distance to the eyes and to each other",
        EyebrowHair "eyebrows_hair" "density and direction of the hair",
    }
    Eyes "eyes": {
        EyeOpening "eyes_opening" "shape and tilt of the opening",
        EyelidUpper "eyes_upper_lid" "upper lid and its fold",
        EyelidLower "eyes_lower_lid" "lower lid and bags",
        EyeCorners "eyes_corners" "inner and outer corners",
        EyeIris "eyes_iris" "iris and pupil, place and peculiarities",
        EyeSetting "eyes_setting" "distance between the eyes and depth",
    }
    Cheeks "cheeks": {
        Cheekbones "cheeks_bones" "cheekbones",
        CheekFullness "cheeks_fullness" "fullness and hollows",
        Dimples "cheeks_dimples" "dimples",
    }
    Nose "nose": {
        NoseOutline "nose_outline" "outline, length and breadth",
        NoseRoot "nose_root" "root between the eyes",
        NoseBridge "nose_bridge" "bridge, its course and deviations",
        NoseTip "nose_tip" "tip",
        NoseWings "nose_wings" "wings",
        Nostrils "nose_nostrils" "nostrils and the wall between them",
    }
    Ears "ears": {
        EarOutline "ears_outline" "outline and size",
        EarSetting "ears_setting" "height and how far they stand out",
        EarHelix "ears_helix" "outer rim",
        EarAntihelix "ears_antihelix" "inner ridge and hollows",
        EarTragus "ears_tragus" "tragus and antitragus",
        EarLobe "ears_lobe" "lobe and how it joins the head",
    }
    Mouth "mouth": {
        Philtrum "mouth_philtrum" "groove above the upper lip",
        LipUpper "mouth_upper_lip" "upper lip, shape and fullness",
        LipLower "mouth_lower_lip" "lower lip, shape and fullness",
        LipFissure "mouth_fissure" "line between the lips",
        MouthCorners "mouth_corners" "corners and breadth",
        Teeth "mouth_teeth" "teeth",
    }
    Chin "chin and jaw": {
        ChinShape "chin_shape" "shape and height of the chin",
        ChinCleft "chin_cleft" "cleft or furrow",
        Jawline "chin_jawline" "jawline and its angle",
        DoubleChin "chin_double" "double chin",
    }
    Neck "neck": {
        NeckShape "neck_shape" "breadth and length",
        LaryngealProminence "neck_prominence" "laryngeal prominence",
    }
    FacialHair "facial hair": {
        BeardShape "facial_hair_shape" "shape of beard and moustache",
        BeardGrowth "facial_hair_growth" "density and bare places",
    }
    Lines "facial lines": {
        LinesForehead "lines_forehead" "across the forehead and between the brows",
        LinesEyes "lines_eyes" "around the eyes",
        LinesNoseMouth "lines_nose_mouth" "from nose to mouth and at its corners",
        LinesNeck "lines_neck" "across chin and neck",
    }
    Scars "scars": {
        ScarsSurgical "scars_surgical" "of a surgery, place and shape",
        ScarsOther "scars_other" "of an injury or illness, place and shape",
    }
    Marks "marks of the skin": {
        Moles "marks_moles" "moles, place and shape",
        Freckles "marks_freckles" "freckles and their pattern",
        Birthmarks "marks_birthmarks" "birthmarks, place and shape",
        Blemishes "marks_blemishes" "lasting blemishes",
    }
    Alterations "alterations": {
        Tattoos "alterations_tattoos" "tattoos, place and motif",
        Piercings "alterations_piercings" "piercings and what they left",
        Surgery "alterations_surgery" "surgery that changed a shape",
        Makeup "alterations_makeup" "permanent make-up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_feature_has_its_own_code_in_json_and_belongs_to_one_component() {
        let features: Vec<Feature> =
            Component::ALL.iter().flat_map(|component| component.features()).copied().collect();
        let codes: BTreeSet<&str> = features.iter().map(|feature| feature.code()).collect();
        assert_eq!(codes.len(), features.len());
        for feature in features {
            assert_eq!(serde_json::to_string(&feature).unwrap(), format!("\"{}\"", feature.code()));
            assert!(
                feature.component().features().contains(&feature) && !feature.words().is_empty()
            );
        }
        assert!(serde_json::from_str::<Feature>("\"distance_between_eyes_mm\"").is_err());
    }
}
