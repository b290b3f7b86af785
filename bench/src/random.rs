//! A small deterministic source of random numbers (SplitMix64); not for secrets.

use std::net::Ipv4Addr;

/// Numbers that look random and are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound - 1`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product: even enough for bounds far below 2^64.
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }

    /// One of the words; the empty one where there are none.
    pub fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let index = self.below(words.len() as u64);
        usize::try_from(index).ok().and_then(|index| words.get(index)).copied().unwrap_or("")
    }

    /// An address from a pool of about 16,000, half of the draws from the same 64: some sources
    /// come back all the time, most are seen a few times.
    pub fn address(&mut self) -> Ipv4Addr {
        let draw = if self.below(2) == 0 { self.below(64) } else { self.below(16_384) };
        let spread = Random::new(draw).draw().to_be_bytes();
        let [a, b, c, d, ..] = spread;
        Ipv4Addr::new(a % 223 + 1, b, c, d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_splitmix64_sequence() {
        let mut random = Random::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(
            drawn,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn stays_below_its_bound() {
        let mut random = Random::new(7);
        assert!((0..1000).all(|_| random.below(10) < 10));
        assert_eq!(random.below(0), 0);
        assert_eq!(random.pick(&[]), "");
    }
}
