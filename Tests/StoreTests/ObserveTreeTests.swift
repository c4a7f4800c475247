import Basics
import Models
import Testing

@testable import DataStore

@Suite struct ObserveTreeTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func theTreeBehavesLikeASortedDictionary(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var tree = PersistentTree<Int, Int>()
        var model: [Int: Int] = [:]
        for step in 0..<600 {
            let key = Int.random(in: 0..<120, using: &random)
            if Bool.random(using: &random) || step < 60 {
                tree.insert(key, step)
                model[key] = step
            } else {
                tree.remove(key)
                model[key] = nil
            }
            #expect(tree.isSound)
            #expect(tree.count == model.count)
        }
        let sorted = model.sorted { $0.key < $1.key }
        #expect((0..<tree.count).map { tree.entry(at: $0).key } == sorted.map(\.key))
        for (index, entry) in sorted.enumerated() {
            #expect(tree.rank(of: entry.key) == index)
            #expect(tree[entry.key] == entry.value)
        }
        for low in stride(from: 0, to: tree.count, by: 7) {
            var walked: [Int] = []
            var iterator = PersistentTree<Int, Int>.Iterator(tree, low..<min(low + 9, tree.count))
            while let node = iterator.next() { walked.append(node.key) }
            #expect(walked == sorted[low..<min(low + 9, tree.count)].map(\.key))
        }
    }

    @Test func anOlderCopyStaysAsItWas() {
        var tree = PersistentTree<Int, Int>(sorted: (0..<100).map { ($0, $0) })
        let before = tree
        for key in 0..<50 { tree.remove(key) }
        tree.insert(1000, 1)
        #expect(before.count == 100 && before.isSound && before[7] == 7)
        #expect(tree.count == 51)
    }

    @Test(arguments: [0, 1, 2, 3, 10, 1000])
    func aTreeFromSortedEntriesIsBalanced(_ count: Int) {
        let tree = PersistentTree<Int, Int>(sorted: (0..<count).map { ($0, $0) })
        #expect(tree.isSound && tree.count == count)
    }

    @Test func ascendingInsertsStayShallow() {
        var tree = PersistentTree<Int, Int>()
        for key in 0..<10_000 { tree.insert(key, key) }
        func depth(_ node: PersistentTree<Int, Int>.Node?) -> Int {
            node.map { 1 + max(depth($0.left), depth($0.right)) } ?? 0
        }
        #expect(depth(tree.root) <= 24)
    }

    @Test("D37: positions order as SQ lite does")
    func positionsOrderAsSQLiteDoes() {
        func position(_ value: Value, _ isDescending: Bool = false, id: String = "") -> SortPosition {
            SortPosition(parts: [SortPosition.Part(value: value, isDescending: isDescending)], id: id)
        }
        #expect(position(.null) < position(.integer(-5)))
        #expect(position(.integer(5)) < position(.text("")))
        #expect(position(.text("Z")) < position(.text("a")))
        #expect(position(.text("é")) > position(.text("z")))
        #expect(position(.integer(2), true) < position(.integer(1), true))
        #expect(position(.integer(2), id: "a") < position(.integer(2), id: "b"))
    }
}

@Suite struct PendingChangesTests {
    private let bin = Bin(id: "b", place: 1)

    @Test func eachRecordHasOneNewestState() {
        var pending = PendingChanges<Bin>()
        pending.add(.created(bin, isLocal: true))
        pending.add(.updated(Bin(id: "c"), isLocal: true))
        pending.add(.updated(bin.with { $0.place = 2 }, isLocal: true))
        #expect(pending.takeFirst() == .created(bin.with { $0.place = 2 }, isLocal: true))
        #expect(pending.takeFirst() == .updated(Bin(id: "c"), isLocal: true))
        #expect(pending.takeFirst() == nil)
    }

    @Test("D36: what came and went is not told")
    func whatCameAndWentIsNotTold() {
        var pending = PendingChanges<Bin>()
        pending.add(.created(bin, isLocal: true))
        pending.add(.deleted(id: "b", isLocal: true))
        #expect(pending.isEmpty)
        pending.add(.created(bin, isLocal: true))
        #expect(pending.takeAll() == [.created(bin, isLocal: true)])
        pending.add(.deleted(id: "b", isLocal: true))
        pending.add(.created(bin, isLocal: true))
        #expect(pending.takeAll() == [.updated(bin, isLocal: true)])
    }

    @Test("D35: too many are one reset")
    func tooManyAreOneReset() {
        var pending = PendingChanges<Bin>()
        for number in 0...PendingChanges<Bin>.limit { pending.add(.created(Bin(id: "\(number)"), isLocal: false)) }
        #expect(pending.takeAll() == [.reset])
        pending.add(.created(bin, isLocal: true))
        #expect(pending.takeAll() == [.created(bin, isLocal: true)])
    }

    @Test("D36: what came and went leaves no place behind, however much of it there was")
    func whatCameAndWentLeavesNoPlace() {
        var pending = PendingChanges<Bin>()
        let limit = PendingChanges<Bin>.limit
        pending.add(.created(bin, isLocal: true))
        for number in 0..<5 * limit {
            pending.add(.created(Bin(id: "\(number)"), isLocal: true))
            pending.add(.deleted(id: "\(number)", isLocal: true))
        }
        #expect(pending.order.count <= 2 * limit)
        #expect(pending.takeAll() == [.created(bin, isLocal: true)])
    }
}
