import Basics
import Testing

@testable import Hub

/// The machine that decides what waits for which function, and for how long.
@Suite struct WaitingRoomTests {
    typealias Step = WaitingRoom.Step
    typealias Action = WaitingRoom.Action

    private static func question(_ version: Int64 = 1, key: String = "m", _ kind: Question.Kind = .conflict) -> Question
    {
        Question(kind: kind, key: key, function: "f", payload: [], version: version)
    }

    private static func key(_ id: String) -> WaitingRoom.MutationKey { WaitingRoom.MutationKey(scope: 1, id: id) }

    @Test func aStepAsksAndGoesOnWithTheAnswer() {
        var room = WaitingRoom()
        let step = Step(ticket: 1, index: 0)
        #expect(room.handle(.asks(step, Self.question(), []), at: 0) == [.call(1, Self.question())])
        #expect(!room.isEmpty)
        #expect(
            room.handle(.answered(call: 1, .success(["a": 1])), at: 5) == [
                .resume(step, Self.question(), .answered(["a": 1]))
            ])
        #expect(room.handle(.settled(step), at: 6).isEmpty)
        #expect(room.isEmpty)
    }

    @Test func aFailureIsAReplyToo() {
        var room = WaitingRoom()
        let step = Step(ticket: 1, index: 0)
        _ = room.handle(.asks(step, Self.question(), []), at: 0)
        #expect(
            room.handle(.answered(call: 1, .failure(.timedOut)), at: 5) == [
                .resume(step, Self.question(), .failed(.timedOut))
            ])
    }

    @Test func anAnswerNobodyWaitsForChangesNothing() {
        var room = WaitingRoom()
        let step = Step(ticket: 1, index: 0)
        _ = room.handle(.asks(step, Self.question(), []), at: 0)
        #expect(room.handle(.answered(call: 7, .success(.null)), at: 1).isEmpty)
        _ = room.handle(.abandoned(ticket: 1), at: 2)
        #expect(room.handle(.answered(call: 1, .success(.null)), at: 3).isEmpty)
        #expect(room.isEmpty)
    }

    @Test func aQuestionIsPutAgainOnlyAFewTimes() {
        var room = WaitingRoom(limits: WaitingRoom.Limits(tries: 3))
        let step = Step(ticket: 1, index: 0)
        for version in 1...3 {
            let question = Self.question(Int64(version))
            #expect(room.handle(.asks(step, question, []), at: 0) == [.call(UInt64(version), question)])
            _ = room.handle(.answered(call: UInt64(version), .success(.null)), at: 0)
        }
        #expect(
            room.handle(.asks(step, Self.question(4), []), at: 0) == [
                .resume(step, Self.question(4), .changedTooOften(3))
            ])
        // Another question of the same step counts by itself.
        let other = Self.question(4, key: "n")
        #expect(room.handle(.asks(step, other, []), at: 0) == [.call(4, other)])
    }

    @Test func aStepAsksOnlyForSoLong() {
        var room = WaitingRoom(limits: WaitingRoom.Limits(milliseconds: 1_000))
        let step = Step(ticket: 1, index: 0)
        _ = room.handle(.asks(step, Self.question(1), []), at: 0)
        _ = room.handle(.answered(call: 1, .success(.null)), at: 900)
        #expect(room.handle(.asks(step, Self.question(2), []), at: 1_000) == [.call(2, Self.question(2))])
        _ = room.handle(.answered(call: 2, .success(.null)), at: 1_001)
        #expect(
            room.handle(.asks(step, Self.question(3), []), at: 1_001) == [.resume(step, Self.question(3), .tookTooLong)]
        )
    }

    @Test func onlySoManyWait() {
        var room = WaitingRoom(limits: WaitingRoom.Limits(steps: 1))
        let (first, second) = (Step(ticket: 1, index: 0), Step(ticket: 2, index: 0))
        _ = room.handle(.asks(first, Self.question(), []), at: 0)
        #expect(
            room.handle(.asks(second, Self.question(), []), at: 0) == [.resume(second, Self.question(), .overloaded)])
        #expect(room.handle(.settled(second), at: 0).isEmpty)
        #expect(room.count == 1)
    }

    @Test func aRetryJoinsAndIsReleasedWhenTheOtherIsOver() {
        var room = WaitingRoom()
        let (first, second) = (Step(ticket: 1, index: 0), Step(ticket: 2, index: 3))
        _ = room.handle(.asks(first, Self.question(), [Self.key("u")]), at: 0)
        #expect(room.owner(of: Self.key("u")) == first)
        #expect(room.handle(.joins(second, Self.key("u")), at: 1).isEmpty)
        _ = room.handle(.answered(call: 1, .success(.null)), at: 2)
        #expect(room.handle(.settled(first), at: 3) == [.release(second, joined: first)])
        #expect(room.owner(of: Self.key("u")) == nil)
        #expect(room.isEmpty)
        // Too late: nobody waits with that id any more.
        #expect(room.handle(.joins(second, Self.key("u")), at: 4) == [.release(second, joined: second)])
    }

    @Test func whoJoinedARequestThatWasLostGoesOnByHimself() {
        var room = WaitingRoom()
        let (first, own, other) = (Step(ticket: 1, index: 0), Step(ticket: 1, index: 1), Step(ticket: 2, index: 0))
        _ = room.handle(.asks(first, Self.question(), [Self.key("u")]), at: 0)
        _ = room.handle(.joins(own, Self.key("u")), at: 0)
        _ = room.handle(.joins(other, Self.key("u")), at: 0)
        #expect(room.handle(.abandoned(ticket: 1), at: 1) == [.release(other, joined: first)])
        #expect(room.isEmpty)
    }

    @Test func aRoomAfterAnotherKnowsNothingOfWhatWaitedThereAndGivesNoNumberAgain() {
        var old = WaitingRoom()
        let step = Step(ticket: 2, index: 0)
        _ = old.handle(.asks(step, Self.question(), [Self.key("u")]), at: 0)
        _ = old.handle(.joins(Step(ticket: 5, index: 0), Self.key("u")), at: 0)
        var room = WaitingRoom(after: old)
        #expect(room.isEmpty && room.owner(of: Self.key("u")) == nil)
        #expect(room.handle(.answered(call: 1, .success(.null)), at: 2).isEmpty)
        #expect(room.handle(.asks(step, Self.question(), []), at: 3) == [.call(2, Self.question())])
    }
}

/// The machine that decides when what was committed goes to a function.
@Suite struct DeliveryQueueTests {
    typealias Action = DeliveryQueue.Action

    private static func delivery(_ number: Int64, _ record: String = "r", attempts: Int = 0, due: Int64 = 0) -> Delivery
    {
        Delivery(number: number, record: record, payload: [], attempts: attempts, due: due)
    }

    private static func queue(_ rows: [Delivery], atOnce: Int = 16) -> (DeliveryQueue, [Action]) {
        var queue = DeliveryQueue(limits: DeliveryQueue.Limits(pauses: [10, 100], atOnce: atOnce, window: 8))
        #expect(queue.handle(.tick, at: 0) == [.load(after: 0, limit: 8)])
        let actions = queue.handle(.loaded(rows, isAll: true), at: 0)
        return (queue, actions)
    }

    @Test func whatWasTakenIsForgotten() {
        var (queue, actions) = Self.queue([Self.delivery(1)])
        #expect(actions == [.call(Self.delivery(1))])
        #expect(queue.handle(.answered(1, .success(.null)), at: 1) == [.delete(1)])
        #expect(queue.handle(.answered(1, .success(.null)), at: 2).isEmpty)
        #expect(queue.handle(.written, at: 3) == [.load(after: 1, limit: 8)])
    }

    @Test func deliveriesOfOneRecordKeepTheirOrderAndOthersDoNotWait() {
        var (queue, actions) = Self.queue([Self.delivery(1, "a"), Self.delivery(2, "a"), Self.delivery(3, "b")])
        #expect(actions == [.call(Self.delivery(1, "a")), .call(Self.delivery(3, "b"))])
        #expect(queue.handle(.answered(1, .success(.null)), at: 1) == [.delete(1), .find(record: "a", through: 3)])
        #expect(
            queue.handle(.found(record: "a", Self.delivery(2, "a")), at: 1) == [.call(Self.delivery(2, "a"))])
        #expect(queue.handle(.answered(2, .success(.null)), at: 2) == [.delete(2), .find(record: "a", through: 3)])
        #expect(queue.handle(.found(record: "a", nil), at: 2).isEmpty)
    }

    @Test func manyOfOneRecordLeaveRoomForAllOthers() {
        var queue = DeliveryQueue(limits: DeliveryQueue.Limits(pauses: [10], atOnce: 2, window: 8, held: 9))
        _ = queue.handle(.tick, at: 0)
        let failing = (1...8).map { Self.delivery($0, "a") }
        #expect(
            queue.handle(.loaded(failing, isAll: false), at: 0) == [.call(failing[0]), .load(after: 8, limit: 7)])
        #expect(queue.handle(.loaded([Self.delivery(9, "b")], isAll: true), at: 0) == [.call(Self.delivery(9, "b"))])
        let postponed = Self.delivery(1, "a", attempts: 1, due: 11)
        #expect(
            queue.handle(.answered(1, .failure(.failed("no"))), at: 1) == [.postpone(postponed, reason: "failed: no")])
        // What waits for its next try takes no room either, up to what may be held at all.
        #expect(queue.handle(.written, at: 1) == [.load(after: 9, limit: 7)])
        let others = (10...16).map { Self.delivery($0, "r\($0)") }
        #expect(queue.handle(.loaded(others, isAll: true), at: 1) == [.call(others[0])])
        #expect(queue.handle(.written, at: 1).isEmpty)
        #expect(
            queue.handle(.answered(9, .success(.null)), at: 2) == [
                .delete(9), .call(others[1]), .load(after: 16, limit: 1),
            ])
    }

    @Test func aRecordWhoseNextRowCouldNotBeReadAsksForItAgain() {
        var (queue, _) = Self.queue([Self.delivery(1, "a"), Self.delivery(2, "a")])
        _ = queue.handle(.answered(1, .success(.null)), at: 1)
        #expect(queue.handle(.tick, at: 2) == [.find(record: "a", through: 2)])
        #expect(
            queue.handle(.found(record: "a", Self.delivery(2, "a")), at: 2) == [.call(Self.delivery(2, "a"))])
        #expect(queue.handle(.tick, at: 3).isEmpty)
    }

    @Test func whatFailsIsTriedAgainWithPausesAndGivenUpAtLast() {
        var (queue, _) = Self.queue([Self.delivery(1)])
        let first = Self.delivery(1, attempts: 1, due: 11)
        #expect(
            queue.handle(.answered(1, .failure(.failed("no"))), at: 1) == [.postpone(first, reason: "failed: no")])
        #expect(queue.handle(.tick, at: 10).isEmpty)
        #expect(queue.handle(.tick, at: 11) == [.call(first)])
        let second = Self.delivery(1, attempts: 2, due: 112)
        #expect(queue.handle(.answered(1, .failure(.timedOut)), at: 12) == [.postpone(second, reason: "took too long")])
        #expect(queue.handle(.tick, at: 112) == [.call(second)])
        #expect(
            queue.handle(.answered(1, .failure(.timedOut)), at: 113) == [
                .park(Self.delivery(1, attempts: 3, due: 112), reason: "took too long")
            ])
        #expect(queue.handle(.tick, at: 1_000).isEmpty)
    }

    @Test func aDeliveryThatWaitsForItsPauseHoldsUpItsRecordOnly() {
        var (queue, _) = Self.queue([Self.delivery(1, "a"), Self.delivery(2, "a"), Self.delivery(3, "b")])
        _ = queue.handle(.answered(1, .failure(.failed("no"))), at: 1)
        #expect(queue.handle(.answered(3, .success(.null)), at: 2) == [.delete(3)])
    }

    @Test func aBusyFunctionOrAStoppingHubCountsAsNoTry() {
        var (queue, _) = Self.queue([Self.delivery(1)])
        #expect(queue.handle(.answered(1, .failure(.busy)), at: 1).isEmpty)
        #expect(queue.handle(.tick, at: 11) == [.call(Self.delivery(1, due: 11))])
    }

    @Test func whatIsNotReadInOneTurnIsReadWhenTimeHasPassed() {
        let rows = (1...8).map { Self.delivery($0, "same") }
        var queue = DeliveryQueue(limits: DeliveryQueue.Limits(pauses: [10], atOnce: 2, window: 8))
        _ = queue.handle(.tick, at: 0)
        #expect(
            queue.handle(.loaded(rows, isAll: false), at: 0) == [.call(rows[0]), .load(after: 8, limit: 7)])
        #expect(queue.handle(.putOff, at: 0).isEmpty)
        #expect(queue.handle(.written, at: 0).isEmpty)
        #expect(queue.handle(.tick, at: 1) == [.load(after: 8, limit: 7)])
        #expect(queue.handle(.tick, at: 2).isEmpty)
    }

    @Test func onlySoManyAreUnderWayAndInMemory() {
        let rows = (1...8).map { Self.delivery($0, "r\($0)") }
        var queue = DeliveryQueue(limits: DeliveryQueue.Limits(pauses: [10], atOnce: 2, window: 8))
        _ = queue.handle(.tick, at: 0)
        #expect(queue.handle(.loaded(rows, isAll: false), at: 0).count == 2)
        #expect(
            queue.handle(.answered(1, .success(.null)), at: 1) == [
                .delete(1), .call(rows[2]), .load(after: 8, limit: 1),
            ])
        #expect(queue.runningCount == 2)
    }
}
