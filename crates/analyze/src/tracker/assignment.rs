//! Which of two sets go together: the matching of greatest total weight.

use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};

/// A track and a detection that may be the same object; the heavier the likelier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) track: usize,
    pub(super) detection: usize,
    /// Above 0; whole numbers, so that sums are exact in any order.
    pub(super) weight: i64,
}

/// The matching of greatest total weight, by rising track. Tracks and detections that no chain of edges connects cannot compete, so each connected
/// group is solved for itself: usually one to three of each.
pub(super) fn heaviest(tracks: usize, detections: usize, edges: &[Edge]) -> Vec<(usize, usize)> {
    let mut groups = Groups::new(tracks + detections);
    for edge in edges {
        groups.join(edge.track, tracks + edge.detection);
    }
    let mut sorted: Vec<(usize, Edge)> = edges.iter().map(|edge| (groups.root(edge.track), *edge)).collect();
    // Stable: within a group edges keep their order.
    sorted.sort_by_key(|(root, _)| *root);
    let mut pairs = Vec::new();
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        match group {
            [(_, only)] => pairs.push((only.track, only.detection)),
            several => solve(several, &mut pairs),
        }
    }
    pairs.sort_unstable();
    pairs
}

fn solve(group: &[(usize, Edge)], pairs: &mut Vec<(usize, usize)>) {
    let members = |side: fn(&Edge) -> usize| {
        let mut members: Vec<usize> = group.iter().map(|(_, edge)| side(edge)).collect();
        members.sort_unstable();
        members.dedup();
        members
    };
    let mut rows = members(|edge| edge.track);
    let mut columns = members(|edge| edge.detection);
    // The library wants no more rows than columns.
    let turned = rows.len() > columns.len();
    if turned {
        std::mem::swap(&mut rows, &mut columns);
    }
    let at = |members: &[usize], member| members.partition_point(|other| *other < member);
    // Weight 0 stands for "stays alone", so that leaving a pair out is always possible.
    let mut weights = Matrix::new(rows.len(), columns.len(), 0_i64);
    for (_, edge) in group {
        let (row, column) = if turned { (edge.detection, edge.track) } else { (edge.track, edge.detection) };
        weights[(at(&rows, row), at(&columns, column))] = edge.weight;
    }
    let (_, partners) = kuhn_munkres(&weights);
    for (row, column) in partners.into_iter().enumerate() {
        if weights[(row, column)] > 0 {
            let (one, other) = (rows[row], columns[column]);
            pairs.push(if turned { (other, one) } else { (one, other) });
        }
    }
}

/// Disjoint sets; the least member stands for its set.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Edge, heaviest};

    /// Greatest weight of any matching, by trying all.
    fn best(edges: &[Edge]) -> i64 {
        let Some((first, rest)) = edges.split_first() else { return 0 };
        let free = |edge: &&Edge| edge.track != first.track && edge.detection != first.detection;
        let compatible: Vec<Edge> = rest.iter().filter(free).copied().collect();
        best(rest).max(first.weight + best(&compatible))
    }

    proptest! {
        #[test]
        fn it_is_a_matching_and_none_is_heavier(
            weights in prop::collection::btree_map((0_usize..5, 0_usize..4), 1_i64..1000, 0..13),
        ) {
            let edge = |((track, detection), weight)| Edge { track, detection, weight };
            let edges: Vec<Edge> = weights.iter().map(|(pair, weight)| edge((*pair, *weight))).collect();
            let pairs = heaviest(5, 4, &edges);
            for (index, (track, detection)) in pairs.iter().enumerate() {
                prop_assert!(pairs[..index].iter().all(|(t, d)| t != track && d != detection));
            }
            let total: i64 = pairs.iter().map(|pair| weights[pair]).sum();
            prop_assert_eq!(total, best(&edges));
        }
    }

    #[test]
    fn two_pairs_may_beat_the_best_one() {
        let edge = |track, detection, weight| Edge { track, detection, weight };
        let edges = [edge(0, 0, 10), edge(0, 1, 8), edge(1, 0, 7)];
        assert_eq!(heaviest(2, 2, &edges), [(0, 1), (1, 0)]);
        assert_eq!(heaviest(3, 1, &[edge(0, 0, 3), edge(1, 0, 5), edge(2, 0, 4)]), [(1, 0)]);
        assert_eq!(heaviest(0, 0, &[]), []);
    }
}
