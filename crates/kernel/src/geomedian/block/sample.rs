//! Stored types.

/// A stored type whose limits are compared as stored.
pub(super) trait Sample: Copy + Default + PartialOrd {
    /// The least value of the type that is `bound` or more; `None` when there is none.
    fn at_least(bound: f64) -> Option<Self>;
    /// The greatest value of the type that is `bound` or less; `None` when there is none.
    fn at_most(bound: f64) -> Option<Self>;
    /// `value` if the type has it.
    fn exactly(value: f64) -> Option<Self>;
    /// `stored · scale + offset`; any finite value for what is not.
    fn reflectance(self, scale: f32, offset: f32) -> f32;
}

macro_rules! integer_sample {
    ($($type:ty)*) => {$(
        impl Sample for $type {
            fn at_least(bound: f64) -> Option<Self> {
                let bound = bound.ceil().max(Self::MIN.into());
                (bound <= Self::MAX.into()).then_some(bound as Self)
            }

            fn at_most(bound: f64) -> Option<Self> {
                let bound = bound.floor().min(Self::MAX.into());
                (bound >= Self::MIN.into()).then_some(bound as Self)
            }

            fn exactly(value: f64) -> Option<Self> {
                (f64::from(value as Self) == value).then_some(value as Self)
            }

            #[inline(always)]
            fn reflectance(self, scale: f32, offset: f32) -> f32 {
                f32::from(self) * scale + offset
            }
        }
    )*};
}
integer_sample!(u8 u16 i16);

/// Only finite values are at least or at most anything.
impl Sample for f32 {
    fn at_least(bound: f64) -> Option<Self> {
        let bound = bound.max(Self::MIN.into());
        let near = bound as Self;
        let near = if f64::from(near) < bound { near.next_up() } else { near };
        near.is_finite().then_some(near)
    }

    fn at_most(bound: f64) -> Option<Self> {
        let bound = bound.min(Self::MAX.into());
        let near = bound as Self;
        let near = if f64::from(near) > bound { near.next_down() } else { near };
        near.is_finite().then_some(near)
    }

    fn exactly(value: f64) -> Option<Self> {
        (f64::from(value as Self) == value).then_some(value as Self)
    }

    #[inline(always)]
    fn reflectance(self, scale: f32, offset: f32) -> f32 {
        let value = self * scale + offset;
        if value.is_finite() { value } else { 0.0 }
    }
}
