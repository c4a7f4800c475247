/// Making text fit its cells.
enum TextFitting {
    /// Where a text that is too long loses its characters.
    enum Cut: String {
        case middle, end, start
    }

    /// The first variant that fits, or the last one shortened.
    static func fit(_ variants: [String], width: Int, cut: Cut) -> String {
        for variant in variants where CharacterWidth.of(variant) <= width { return variant }
        return shorten(variants.last ?? "", width: width, cut: cut)
    }

    /// A text with `..` in place of what does not fit; the last characters of a code tell more than its first.
    static func shorten(_ text: String, width: Int, cut: Cut) -> String {
        guard CharacterWidth.of(text) > width else { return text }
        guard width > 4 else {
            return cut == .end ? prefix(text, width) : suffix(text, width)
        }
        let room = width - 2
        switch cut {
        case .end: return prefix(text, room) + ".."
        case .start: return ".." + suffix(text, room)
        case .middle: return prefix(text, room / 2) + ".." + suffix(text, room - room / 2)
        }
    }

    private static func prefix(_ text: String, _ width: Int) -> String {
        var used = 0
        var end = text.startIndex
        while end < text.endIndex {
            used += CharacterWidth.of(String(text[end]))
            if used > width { break }
            end = text.index(after: end)
        }
        return String(text[..<end])
    }

    private static func suffix(_ text: String, _ width: Int) -> String {
        var used = 0
        var start = text.endIndex
        while start > text.startIndex {
            let before = text.index(before: start)
            used += CharacterWidth.of(String(text[before]))
            if used > width { break }
            start = before
        }
        return String(text[start...])
    }

    /// Words on lines of a width; a word longer than a line is broken. The last of `height` lines is shortened.
    static func wrap(_ text: String, width: Int, height: Int) -> [String] {
        guard width > 0, height > 0 else { return [] }
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            var used = 0
            for word in paragraph.split(separator: " ") {
                var word = String(word)
                var length = CharacterWidth.of(word)
                if used > 0 && used + 1 + length <= width {
                    line += " " + word
                    used += 1 + length
                    continue
                }
                if used > 0 { lines.append(line) }
                while length > width {
                    let head = prefix(word, width)
                    guard !head.isEmpty else { break }
                    lines.append(head)
                    word.removeFirst(head.count)
                    length = CharacterWidth.of(word)
                }
                line = word
                used = length
            }
            lines.append(line)
        }
        guard lines.count > height else { return lines }
        let rest = lines[(height - 1)...].joined(separator: " ")
        return lines[..<(height - 1)] + [shorten(rest, width: width, cut: .end)]
    }

    /// The first variant that wraps into the room, or the last one cut to it.
    static func wrap(_ variants: [String], width: Int, height: Int) -> [String] {
        for variant in variants {
            let lines = wrap(variant, width: width, height: height + 1)
            if lines.count <= height { return lines }
        }
        return wrap(variants.last ?? "", width: width, height: height)
    }

    /// The columns before a text of some width in a wider slot.
    static func indent(_ used: Int, in width: Int, right: Bool, center: Bool) -> Int {
        if right { return max(0, width - used) }
        if center { return max(0, (width - used) / 2) }
        return 0
    }
}
