//! Tracks the pages of a memory that may not be zero.

use std::cell::{Cell, RefCell};
use std::ops::Range;

pub(super) const PAGE: usize = 4096;

#[derive(Debug)]
pub(super) struct Pages {
    touched: Box<[Cell<bool>]>,
    /// The numbers of the touched pages.
    list: RefCell<Vec<usize>>,
}

impl Pages {
    /// The pages of `length` zero bytes.
    pub(super) fn new(length: usize) -> Self {
        let count = length.div_ceil(PAGE);
        Self {
            touched: vec![Cell::new(false); count].into_boxed_slice(),
            list: RefCell::new(Vec::with_capacity(count)),
        }
    }

    /// Records a write of `size` bytes, which must not be zero.
    #[inline(always)]
    pub(super) fn touch(&self, offset: usize, size: usize) {
        let (first, last) = (offset / PAGE, (offset + size - 1) / PAGE);
        if first != last || !self.touched[first].get() {
            self.touch_all(first, last);
        }
    }

    /// Records a write of an integer. It is aligned, so it is on one page.
    #[inline(always)]
    pub(super) fn touch_integer(&self, offset: usize) {
        let page = offset / PAGE;
        if !self.touched[page].get() {
            self.touch_all(page, page);
        }
    }

    #[cold]
    fn touch_all(&self, first: usize, last: usize) {
        for page in first..=last {
            if !self.touched[page].replace(true) {
                self.list.borrow_mut().push(page);
            }
        }
    }

    /// The parts of a range of bytes that may not be zero.
    pub(super) fn touched_in(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
        let pages = range.start / PAGE..range.end.div_ceil(PAGE);
        pages
            .filter(|page| self.touched[*page].get())
            .map(move |page| range.start.max(page * PAGE)..range.end.min((page + 1) * PAGE))
    }

    /// Calls `zero` with the offset of each touched page and records the page as zero.
    pub(super) fn clean(&self, mut zero: impl FnMut(usize)) {
        for page in self.list.borrow_mut().drain(..) {
            self.touched[page].set(false);
            zero(page * PAGE);
        }
    }
}
