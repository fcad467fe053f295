//! Which bytes of the registered regions belong to live chains.

/// No link.
const NONE: u32 = u32::MAX;

/// One buffer as it lies in one granule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    start: u64,
    end: u64,
    pub(crate) head: u16,
    pub(crate) writable: bool,
    next: u32,
}

/// The buffers of live chains, found by place in constant time.
///
/// Each region is cut into granules of a power of two that holds the longest buffer. A buffer stands in the list of every
/// granule that it touches, so a new one is compared with its neighbours alone. Nodes are kept for their memory.
#[derive(Debug, Default, Clone)]
pub(crate) struct Extents {
    /// Binary logarithm of a granule's length.
    shift: u32,
    /// First extent by region and granule; grown as places are used.
    lists: Vec<Vec<u32>>,
    nodes: Vec<Extent>,
    spare: Vec<u32>,
}

impl Extents {
    /// Begins with no buffer; `longest` is how long one usually is at most.
    pub(crate) fn begin(&mut self, longest: u64) {
        self.shift = longest.next_power_of_two().trailing_zeros();
        // Grown again as far as this queue uses them, which may be much less than the last one did.
        for list in &mut self.lists {
            list.clear();
        }
        self.nodes.clear();
        self.spare.clear();
    }

    /// The granules that a run of at least one byte touches.
    #[inline(always)]
    fn granules(&self, start: u64, end: u64) -> std::ops::Range<usize> {
        (start >> self.shift) as usize..((end - 1) >> self.shift) as usize + 1
    }

    /// Adds a buffer of a chain, or says whose buffer it overlaps where one of the two is writable. An empty
    /// buffer has no place.
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
            if let Some(other) = from(nodes, *first).find(overlaps) {
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

    /// Calls `f` with each buffer that shares a byte with a place, once for each granule it shares.
    #[inline(always)]
    pub(crate) fn each_at(&self, region: u16, start: u64, length: u32, f: impl FnMut(&Extent)) {
        if length > 0 {
            self.each(region.into(), start, start + u64::from(length), f);
        }
    }

    #[inline(always)]
    fn each(&self, region: usize, start: u64, end: u64, mut f: impl FnMut(&Extent)) {
        let Some(list) = self.lists.get(region) else { return };
        for granule in self.granules(start, end) {
            let first = list.get(granule).copied().unwrap_or(NONE);
            from(&self.nodes, first).filter(|other| other.start < end && start < other.end).for_each(&mut f);
        }
    }

    /// Removes a buffer that was added.
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

/// The extents of a list, from this node on.
#[inline(always)]
fn from(nodes: &[Extent], mut at: u32) -> impl Iterator<Item = &Extent> {
    std::iter::from_fn(move || {
        let extent = nodes.get(at as usize)?;
        at = extent.next;
        Some(extent)
    })
}
