"""Rules for updates that clients leave for each other. See `test_catalog_machine`."""

import catalog_draws as draws
from catalog_rules import EVERYTHING, Compared, runs
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule
from samples import START, an_id

from webnn.core.records import Exchange, Offer

offers: Bundle[Offer] = Bundle("offers")
PEERS = st.sampled_from([101, 102, 103])


class PeerRules(Compared):
    """Swaps, with what is there and with what was. A client takes another's update and leaves another than it takes."""

    @rule(target=offers, run=runs, number=draws.NUMBERS, client=PEERS, which=st.integers(0, 2))
    def swap(self, run: str, number: int, client: int, which: int) -> Offer:
        """For one of the newest of others, if there is any."""
        mine = Offer(run, an_id(number), an_id(client))
        there = [offer for offer in self.model.offers(run, EVERYTHING) if offer.client_id != mine.client_id]
        taken = there[which % len(there)] if there else None
        return self._swap(mine, taken, self.model.last_offer(run, mine.client_id))

    @rule(target=offers, run=runs, number=draws.NUMBERS, client=PEERS, believed=st.none() | offers)
    def swap_for_one_of_before(self, run: str, number: int, client: int, believed: Offer | None) -> Offer:
        """Which may be taken, replaced, or of another run."""
        mine = Offer(run, an_id(number), an_id(client))
        taken = believed and Offer(run, believed.update_id, believed.client_id)
        return self._swap(mine, taken, self.model.last_offer(run, mine.client_id))

    @rule(target=offers, run=runs, number=draws.NUMBERS, client=PEERS, believed=st.none() | offers)
    def swap_believing_that_the_last_was_another(
        self, run: str, number: int, client: int, believed: Offer | None
    ) -> Offer:
        mine = Offer(run, an_id(number), an_id(client))
        return self._swap(mine, None, believed and Offer(run, believed.update_id, mine.client_id))

    def _swap(self, mine: Offer, taken: Offer | None, previous: Offer | None) -> Offer:
        touched = [offer.update_id for offer in (mine, taken, previous) if offer]
        assume(taken is None or (taken.client_id != mine.client_id and touched.count(taken.update_id) == 1))
        received = (taken.update_id, taken.client_id) if taken else ("", "")
        self.both("swap", Exchange(mine.run, mine.update_id, mine.client_id, START, *received), taken, previous)
        for update_id in touched:
            self.both("exchange", mine.run, update_id)
        self.both("last_offer", mine.run, mine.client_id)
        self.both("offers", mine.run, EVERYTHING)
        return mine

    @rule(run=runs, limit=draws.LIMITS)
    def list_the_newest(self, run: str, limit: int) -> None:
        self.both("offers", run, limit)
