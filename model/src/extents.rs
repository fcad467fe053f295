//! Finds the live chain that has a buffer at a position in the registered regions.

/// The end of a list.
const NONE: u32 = u32::MAX;

/// One buffer, as a node in the list of one granule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    start: u64,
    end: u64,
    pub(crate) head: u16,
    pub(crate) writable: bool,
    next: u32,
}

/// The buffers of live chains, found by position in constant time.
///
/// Each region is divided into granules. The length of a granule is a power of two, and at least that of the longest buffer.
/// A buffer is in the list of each granule that it touches, so a new buffer is compared only with those nearby. The memory
/// of removed nodes is used again.
#[derive(Debug, Default, Clone)]
pub(crate) struct Extents {
    /// Binary logarithm of a granule's length.
    shift: u32,
    /// The first node of each list, by region and granule. The vectors grow as positions are used.
    lists: Vec<Vec<u32>>,
    nodes: Vec<Extent>,
    spare: Vec<u32>,
}

impl Extents {
    /// Begins without buffers. `longest` is the usual limit of a buffer's length in bytes; longer ones work too.
    pub(crate) fn begin(&mut self, longest: u64) {
        self.shift = longest.next_power_of_two().trailing_zeros();
        // The lists grow again as far as this queue needs, which may be much less than the last queue needed.
        for list in &mut self.lists {
            list.clear();
        }
        self.nodes.clear();
        self.spare.clear();
    }

    /// The granules that a run of bytes touches. The run must not be empty.
    #[inline(always)]
    fn granules(&self, start: u64, end: u64) -> std::ops::Range<usize> {
        (start >> self.shift) as usize..((end - 1) >> self.shift) as usize + 1
    }

    /// Adds a buffer of the chain at `head`. An empty buffer is ignored.
    ///
    /// # Errors
    /// The head of a chain with a buffer that overlaps, if one of the two buffers is writable.
    pub(crate) fn add(
        &mut self,
        region: u16,
        start: u64,
        length: u32,
        head: u16,
        writable: bool,
    ) -> Result<(), u16> {
        if length == 0 {
            return Ok(());
        }
        let end = start + u64::from(length);
        let (region, granules) = (usize::from(region), self.granules(start, end));
        let Self { lists, nodes, spare, .. } = self;
        if lists.len() <= region {
            lists.resize_with(region + 1, Vec::new);
        }
        let list = &mut lists[region];
        if list.len() < granules.end {
            list.resize(granules.end, NONE);
        }
        for first in &mut list[granules] {
            let overlaps =
                |other: &&Extent| other.start < end && start < other.end && (writable || other.writable);
            if let Some(other) = nodes_from(nodes, *first).find(overlaps) {
                return Err(other.head);
            }
            let extent = Extent { start, end, head, writable, next: *first };
            *first = match spare.pop() {
                Some(node) => {
                    nodes[node as usize] = extent;
                    node
                }
                None => {
                    nodes.push(extent);
                    nodes.len() as u32 - 1
                }
            };
        }
        Ok(())
    }

    /// Calls `f` with each buffer that shares a byte with a run of bytes, once for each granule that both touch.
    #[inline(always)]
    pub(crate) fn each_at(&self, region: u16, start: u64, length: u32, f: impl FnMut(&Extent)) {
        if length > 0 {
            self.each_between(region.into(), start, start + u64::from(length), f);
        }
    }

    #[inline(always)]
    fn each_between(&self, region: usize, start: u64, end: u64, mut f: impl FnMut(&Extent)) {
        let Some(list) = self.lists.get(region) else { return };
        for granule in self.granules(start, end) {
            let first = list.get(granule).copied().unwrap_or(NONE);
            nodes_from(&self.nodes, first)
                .filter(|other| other.start < end && start < other.end)
                .for_each(&mut f);
        }
    }

    /// Removes a buffer that was [added](Self::add).
    pub(crate) fn remove(&mut self, region: u16, start: u64, length: u32, head: u16) {
        if length == 0 {
            return;
        }
        for granule in self.granules(start, start + u64::from(length)) {
            let (mut before, mut at) = (NONE, self.lists[usize::from(region)][granule]);
            while at != NONE {
                let Extent { start: other, head: owner, next, .. } = self.nodes[at as usize];
                if other == start && owner == head {
                    match before {
                        NONE => self.lists[usize::from(region)][granule] = next,
                        before => self.nodes[before as usize].next = next,
                    }
                    self.spare.push(at);
                    break;
                }
                (before, at) = (at, next);
            }
        }
    }
}

/// The nodes of a list, from this one on.
#[inline(always)]
fn nodes_from(nodes: &[Extent], mut at: u32) -> impl Iterator<Item = &Extent> {
    std::iter::from_fn(move || {
        let extent = nodes.get(at as usize)?;
        at = extent.next;
        Some(extent)
    })
}
