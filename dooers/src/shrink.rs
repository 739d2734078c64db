//! Maps that release memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Maps with room for fewer entries than this are not worth shrinking.
const SMALL: usize = 64;

/// Releases most of the memory of a map that is less than a quarter full. Call it after entries were removed.
///
/// A map never shrinks by itself and would keep the memory of its largest size. It keeps room for twice its entries, so
/// a map that shrinks and grows in turns is rarely moved.
pub(crate) fn shrink<K: Eq + Hash, V, S: BuildHasher>(map: &mut HashMap<K, V, S>) {
    let is_sparse = map.capacity() > SMALL && map.len() < map.capacity() / 4;
    // The capacity excludes the slots of removed entries until they are reused, so it may be small.
    if map.is_empty() || is_sparse {
        map.shrink_to(map.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_shrinks_as_it_empties() {
        let mut map: HashMap<u32, u32> = (0..10_000).map(|key| (key, key)).collect();
        let full = map.capacity();
        for key in 0..9_000 {
            map.remove(&key);
            shrink(&mut map);
        }
        assert!(map.capacity() < full / 2, "{}", map.capacity());
        assert!((9_000..10_000).all(|key| map[&key] == key));
        for key in 9_000..10_000 {
            map.remove(&key);
            shrink(&mut map);
        }
        assert_eq!(map.capacity(), 0);
    }

    #[test]
    fn map_with_few_removed_entries_keeps_its_room() {
        let mut map: HashMap<u32, u32> = (0..1_000).map(|key| (key, key)).collect();
        map.retain(|key, _| *key < 600);
        let before = map.capacity();
        shrink(&mut map);
        assert_eq!(map.capacity(), before);
    }
}
