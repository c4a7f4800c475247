/// What the keyboard and the scanner gave.
public enum Input: Hashable, Sendable {
    /// A key that a person pressed.
    case key(Key)
    /// A whole scan.
    ///
    /// `retracting` is 1 when the scan's first character was already given out as a key, because nothing showed then
    /// that more would follow: take that character out of the field again. Otherwise it is 0.
    case scan(Scan, retracting: Int)
}

/// Turns timed keys into keys and scans; nothing that comes in is ever lost.
///
/// A scanner that types is told from a person by speed: a run of at least ``ScannerSettings/minimumLength`` characters,
/// none of them later than the gap, ended by Enter, line feed or Tab, is one scan. A shorter run is one where nobody
/// types like that: ended as no key ends it, or faster than fingers go (see ``Run``). A key that comes alone is given out
/// at once, so typing is never delayed; one that follows another within the gap is held until it is clear what it is,
/// at the longest for one gap: call ``tick(at:)`` at ``deadline``. Control characters inside a run are data.
public struct InputDecoder: Sendable {
    /// The site's scanners.
    public var settings: ScannerSettings

    /// Whether even a lone first character is held for one gap. For questions, where a digit acts at once and the first
    /// digit of a scan must not answer.
    public var holdsFirst = false

    private var held: [Character] = []
    /// 1 while the first character of the run was given out already.
    private var given = 0
    private var givenCharacter: Character?
    /// How the run was typed so far.
    private var run = Run()
    private var lastAt: Int64?
    private var afterReturn = Return.no
    /// Enter has ended a run that is a scan only if a line feed follows.
    private var awaitsLineFeed = false
    /// This terminal's own Enter key sends a line feed too.
    private var enterSendsBoth = false
    private var paste: [Character]?
    private var afterPaste = false

    private static let longestPause: Int64 = 2_000

    /// Makes a decoder that has seen nothing.
    public init(settings: ScannerSettings = .standard) {
        self.settings = settings
    }

    /// When ``tick(at:)`` must be called if no key comes before; nil while nothing is held.
    public var deadline: Int64? {
        guard !held.isEmpty, let lastAt else { return nil }
        return lastAt + settings.gapMilliseconds
    }

    /// Takes a key that was read at a time in milliseconds.
    public mutating func feed(_ key: Key, at time: Int64) -> [Input] {
        var output: [Input] = []
        if paste != nil {
            // A terminal that died in a paste must not swallow what a person types later.
            guard let lastAt, time - lastAt > InputDecoder.longestPause else { return feedPaste(key, at: time) }
            output += endPastedLine()
            paste = nil
        }
        let isClose = lastAt.map { time - $0 < settings.gapMilliseconds } ?? false
        if !isClose { output += pause() }
        if awaitsLineFeed {
            awaitsLineFeed = false
            if key == .control(0x0A), let scan = endRun(force: true) {
                lastAt = time
                return output + [scan]
            }
            output += release() + [.key(.enter)]
        }
        if isClose, let lastAt, !held.isEmpty || given > 0 { run.add(gap: time - lastAt) }
        defer { lastAt = time }
        let returned = afterReturn
        afterReturn = .no
        let pasted = afterPaste
        afterPaste = false

        switch key {
        case .pasteStart:
            output += release()
            paste = []
        case .pasteEnd:
            break
        case .control(0x0A) where returned != .no && isClose:
            if returned == .alone { enterSendsBoth = true }
            break  // The second half of CR LF.
        case .enter where pasted && isClose, .tab where pasted && isClose, .control(0x0A) where pasted && isClose:
            afterReturn = key == .enter ? .ofScan : .no  // The suffix of a wedge that pastes.
        case .enter, .tab, .control(0x0A):
            output += end(key)
        case .character(let character):
            output += take(character, isClose: isClose)
        case .control(let byte):
            output += take(Character(Unicode.Scalar(byte)), isClose: true)
        default:
            output += release()
            output.append(.key(key))
        }
        return output
    }

    /// Gives out what was held longer than a gap.
    public mutating func tick(at time: Int64) -> [Input] {
        guard let deadline, time >= deadline else { return [] }
        return pause()
    }

    /// Enter, line feed or Tab: the end of a scan, or a key.
    private mutating func end(_ key: Key) -> [Input] {
        let isTold = key == .enter ? run.isTooFast : key == .tab ? run.comesApart : !enterSendsBoth
        if let scan = endRun(force: isTold && isMarkable) {
            afterReturn = key == .enter ? .ofScan : .no
            return [scan]
        }
        if key == .enter, !held.isEmpty, isMarkable, !enterSendsBoth {
            // Shown after the gap at the latest; nobody types so fast that he sees it.
            awaitsLineFeed = true
            return []
        }
        afterReturn = key == .enter ? held.isEmpty && given == 0 ? .alone : .ofScan : .no
        return release() + [.key(key == .control(0x0A) ? .enter : key)]
    }

    /// Whether a short run may be a scan: several characters, at a site where nothing else says what is one.
    private var isMarkable: Bool {
        given + held.count > 1 && (settings.prefix.isEmpty || !settings.requiresPrefix)
    }

    private mutating func take(_ character: Character, isClose: Bool) -> [Input] {
        let startsPrefix = held.isEmpty && given == 0 && settings.prefix.first == character
        if held.isEmpty && !isClose && !holdsFirst && !startsPrefix {
            given = 1
            givenCharacter = character
            return [.key(.character(character))]
        }
        if held.isEmpty && !isClose {
            given = 0
            givenCharacter = nil
        }
        held.append(character)
        if !settings.suffix.isEmpty, String(held).hasSuffix(settings.suffix), let scan = endRun(force: true) {
            return [scan]
        }
        return []
    }

    /// The run so far, as a scan if it is one.
    private mutating func endRun(force: Bool = false) -> Input? {
        var text = String((givenCharacter.map { [$0] } ?? []) + held)
        let retracting = given
        let length = text.unicodeScalars.count
        var isScan = length >= settings.minimumLength || force
        if !settings.prefix.isEmpty {
            if text.hasPrefix(settings.prefix), text.count > settings.prefix.count {
                text.removeFirst(settings.prefix.count)
                isScan = true
            } else if settings.requiresPrefix {
                isScan = false
            }
        }
        // A lone character before Enter was typed, however fast Enter followed.
        guard isScan, !held.isEmpty else { return nil }
        if !settings.suffix.isEmpty, text.hasSuffix(settings.suffix) { text.removeLast(settings.suffix.count) }
        guard !text.isEmpty else { return nil }
        forget()
        return .scan(Scan(text, separators: settings.separators), retracting: retracting)
    }

    /// The gap has passed: the run ends without a terminator.
    private mutating func pause() -> [Input] {
        defer { forget() }
        if awaitsLineFeed {
            awaitsLineFeed = false
            return release() + [.key(.enter)]
        }
        if settings.endsByPause, !isOneCharacterRepeated, let scan = endRun() { return [scan] }
        return release()
    }

    /// A key held down repeats about as fast as a slow scanner types.
    private var isOneCharacterRepeated: Bool {
        let all = (givenCharacter.map { [$0] } ?? []) + held
        return all.allSatisfy { $0 == all.first }
    }

    private mutating func release() -> [Input] {
        let keys = held.map { Input.key(InputDecoder.key(for: $0)) }
        forget()
        return keys
    }

    private mutating func forget() {
        held.removeAll(keepingCapacity: true)
        given = 0
        givenCharacter = nil
        run = Run()
    }

    private static func key(for character: Character) -> Key {
        guard let scalar = character.unicodeScalars.first, scalar.value < 0x20, character.unicodeScalars.count == 1
        else { return .character(character) }
        return .control(UInt8(scalar.value))
    }
}

extension InputDecoder {
    /// What the Enter that came last was.
    private enum Return { case no, alone, ofScan }

    /// The pauses of a run of keys.
    ///
    /// A scanner's keyboard reports follow each other in a few milliseconds, the Enter too. Fingers that roll over two
    /// keys may be as fast once, over three and Enter never. Keys that came all at once say nothing: a slow line, or a
    /// busy terminal, hands over like that what a person typed.
    private struct Run {
        private var pauses = 0
        private var longest: Int64 = 0
        /// How many of them were any.
        private var apart = 0

        private static let fastest: Int64 = 12

        mutating func add(gap: Int64) {
            pauses += 1
            longest = max(longest, gap)
            if gap > 0 { apart += 1 }
        }

        var comesApart: Bool { apart > 0 }
        /// Whether no fingers are so fast; asked at the Enter, whose pause counts.
        var isTooFast: Bool { pauses >= 3 && longest <= Run.fastest && apart > 1 }
    }

    /// A paste is one scan for each of its lines.
    private mutating func feedPaste(_ key: Key, at time: Int64) -> [Input] {
        lastAt = time
        switch key {
        case .pasteEnd:
            let output = endPastedLine()
            paste = nil
            afterPaste = !output.isEmpty
            return output
        case .pasteStart: return []
        case .enter, .control(0x0A): return endPastedLine()
        case .tab: paste?.append("\t")
        case .character(let character): paste?.append(character)
        case .control(let byte): paste?.append(Character(Unicode.Scalar(byte)))
        default: break
        }
        return []
    }

    private mutating func endPastedLine() -> [Input] {
        guard let line = paste, !line.isEmpty else { return [] }
        paste = []
        var text = String(line)
        if !settings.prefix.isEmpty, text.hasPrefix(settings.prefix) { text.removeFirst(settings.prefix.count) }
        if !settings.suffix.isEmpty, text.hasSuffix(settings.suffix) { text.removeLast(settings.suffix.count) }
        return text.isEmpty ? [] : [.scan(Scan(text, separators: settings.separators), retracting: 0)]
    }
}
