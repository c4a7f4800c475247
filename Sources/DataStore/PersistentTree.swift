/// A persistent weight-balanced tree: an ordered map whose copies share structure.
///
/// A change copies the path from the root, O(log n); older copies stay as they were and may be read on other threads.
/// Balance by size as Adams describes it, with Hirai and Yamamoto's constants.
struct PersistentTree<Key: Comparable & Sendable, Element: Sendable>: Sendable {
    /// Never changed after it was made.
    final class Node: Sendable {
        let key: Key
        let element: Element
        let left: Node?
        let right: Node?
        let count: Int

        init(_ key: Key, _ element: Element, _ left: Node?, _ right: Node?) {
            self.key = key
            self.element = element
            self.left = left
            self.right = right
            count = (left?.count ?? 0) + (right?.count ?? 0) + 1
        }
    }

    private(set) var root: Node?

    init() {}

    /// Builds a tree from entries in strictly ascending order, in O(n).
    init(sorted entries: [(key: Key, element: Element)]) {
        func build(_ low: Int, _ high: Int) -> Node? {
            guard low < high else { return nil }
            let middle = (low + high) / 2
            let entry = entries[middle]
            return Node(entry.key, entry.element, build(low, middle), build(middle + 1, high))
        }
        root = build(0, entries.count)
    }

    /// How many entries it has.
    var count: Int { root?.count ?? 0 }

    /// The entry with this key.
    subscript(key: Key) -> Element? {
        var node = root
        while let current = node {
            if key < current.key {
                node = current.left
            } else if current.key < key {
                node = current.right
            } else {
                return current.element
            }
        }
        return nil
    }

    /// The entry at a position; the position must exist.
    func entry(at position: Int) -> Node {
        var rest = position
        var node = root
        while let current = node {
            let before = current.left?.count ?? 0
            if rest < before {
                node = current.left
            } else if rest == before {
                return current
            } else {
                rest -= before + 1
                node = current.right
            }
        }
        preconditionFailure("position \(position) is beyond the \(count) entries")
    }

    /// How many entries have a smaller key.
    func rank(of key: Key) -> Int {
        var result = 0
        var node = root
        while let current = node {
            if current.key < key {
                result += (current.left?.count ?? 0) + 1
                node = current.right
            } else {
                node = current.left
            }
        }
        return result
    }

    /// Puts an entry in; one with the same key is replaced.
    mutating func insert(_ key: Key, _ element: Element) {
        root = Self.inserted(root, key, element)
    }

    /// Takes an entry out; no entry is no error.
    mutating func remove(_ key: Key) {
        root = Self.removed(root, key)
    }

    private static func inserted(_ node: Node?, _ key: Key, _ element: Element) -> Node {
        guard let node else { return Node(key, element, nil, nil) }
        if key < node.key {
            return balanced(node.key, node.element, inserted(node.left, key, element), node.right)
        }
        if node.key < key {
            return balanced(node.key, node.element, node.left, inserted(node.right, key, element))
        }
        return Node(key, element, node.left, node.right)
    }

    private static func removed(_ node: Node?, _ key: Key) -> Node? {
        guard let node else { return nil }
        if key < node.key {
            let left = removed(node.left, key)
            return left === node.left ? node : balanced(node.key, node.element, left, node.right)
        }
        if node.key < key {
            let right = removed(node.right, key)
            return right === node.right ? node : balanced(node.key, node.element, node.left, right)
        }
        guard let left = node.left else { return node.right }
        guard let right = node.right else { return left }
        if left.count > right.count {
            let (last, rest) = withoutLast(left)
            return balanced(last.key, last.element, rest, right)
        }
        let (first, rest) = withoutFirst(right)
        return balanced(first.key, first.element, left, rest)
    }

    private static func withoutFirst(_ node: Node) -> (Node, Node?) {
        guard let left = node.left else { return (node, node.right) }
        let (first, rest) = withoutFirst(left)
        return (first, balanced(node.key, node.element, rest, node.right))
    }

    private static func withoutLast(_ node: Node) -> (Node, Node?) {
        guard let right = node.right else { return (node, node.left) }
        let (last, rest) = withoutLast(right)
        return (last, balanced(node.key, node.element, node.left, rest))
    }

    private static func weight(_ node: Node?) -> Int { (node?.count ?? 0) + 1 }

    /// A node over two subtrees of which one may be a single insertion or removal out of balance.
    private static func balanced(_ key: Key, _ element: Element, _ left: Node?, _ right: Node?) -> Node {
        if let right, weight(right) > 3 * weight(left) {
            if let inner = right.left, weight(inner) >= 2 * weight(right.right) {
                return Node(
                    inner.key, inner.element, Node(key, element, left, inner.left),
                    Node(right.key, right.element, inner.right, right.right))
            }
            return Node(right.key, right.element, Node(key, element, left, right.left), right.right)
        }
        if let left, weight(left) > 3 * weight(right) {
            if let inner = left.right, weight(inner) >= 2 * weight(left.left) {
                return Node(
                    inner.key, inner.element, Node(left.key, left.element, left.left, inner.left),
                    Node(key, element, inner.right, right))
            }
            return Node(left.key, left.element, left.left, Node(key, element, left.right, right))
        }
        return Node(key, element, left, right)
    }
}

extension PersistentTree {
    /// Walks the entries of a range of positions in order, each step in O(1) on average.
    struct Iterator: IteratorProtocol {
        private var path: [Node] = []
        private var left: Int

        init(_ tree: PersistentTree, _ range: Range<Int>) {
            left = range.count
            var rest = range.lowerBound
            var node = left > 0 ? tree.root : nil
            while let current = node {
                let before = current.left?.count ?? 0
                if rest <= before {
                    path.append(current)
                    node = rest < before ? current.left : nil
                } else {
                    rest -= before + 1
                    node = current.right
                }
            }
        }

        mutating func next() -> Node? {
            guard left > 0, let result = path.popLast() else { return nil }
            left -= 1
            var node = result.right
            while let current = node {
                path.append(current)
                node = current.left
            }
            return result
        }
    }

    /// Whether every subtree is balanced, in order and counted: for tests.
    var isSound: Bool {
        func check(_ node: Node?) -> Bool {
            guard let node else { return true }
            let left = Self.weight(node.left)
            let right = Self.weight(node.right)
            if let before = node.left, !(before.key < node.key) { return false }
            if let after = node.right, !(node.key < after.key) { return false }
            return node.count == left + right - 1 && left <= 3 * right && right <= 3 * left
                && check(node.left) && check(node.right)
        }
        return check(root)
    }
}
