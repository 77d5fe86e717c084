// The threshold step after each chunk: raises each probe's theta to (k-th largest low) - margin,
// drops from its list what is below, and lets the probe go on or stay behind.
//
// One workgroup owns one probe. The k-th largest low is found by its bits, 8 at a time from the
// top, with a histogram; the list stays unsorted. It is compacted by theta and never by k: a row
// with a low beyond the k-th may be among the k best in exact score. A list that overflowed goes
// back to what it held before the chunk, and the probe's chunk isn't counted as done: the host
// scores it again with the theta found here. What the full list holds are k rows and more that were
// found, whatever else was lost.

override WORKGROUP: u32 = 256u;

const BINS: u32 = 256u;
// Bins that one lane adds up for the others.
const GROUP_BINS: u32 = 16u;

struct ChunkParams {
    row_first: u32,
    row_end: u32,
    row_base: u32,
    quads: u32,
    // Places in one probe's list.
    list_len_max: u32,
    // The chunk's number in the pass.
    chunk: u32,
    tiles_open: u32,
    k: u32,
}

struct ProbeProgress {
    // Rows with z below it are proven to be out.
    theta: f32,
    a: f32,
    // How far theta stays below the k-th largest low.
    margin: f32,
    // The chunk that is to be scored next; a probe whose list overflowed stays behind.
    chunk: u32,
    // Rows in the list after the chunk before.
    kept_len: u32,
    // Rows offered to the list; more than list_len_max means that some were lost.
    list_len: u32,
}

struct DeviceHit {
    place: u32,
    dot: i32,
    z: f32,
    low: f32,
}

@group(0) @binding(0) var<uniform> params: ChunkParams;
// [probe]
@group(0) @binding(1) var<storage, read_write> progress: array<ProbeProgress>;
// [probe][list_len_max]
@group(0) @binding(2) var<storage, read_write> list: array<DeviceHit>;

// What one lane reads for all: whether the probe takes part in this chunk, list_len, kept_len, the
// bits of theta.
var<workgroup> state: vec4<u32>;
var<workgroup> histogram: array<atomic<u32>, BINS>;
var<workgroup> groups: array<u32, BINS / GROUP_BINS>;
// The bits of the k-th largest key that are known, and how many keys with these bits are still to
// be passed, itself included.
var<workgroup> prefix: u32;
var<workgroup> rank: u32;
var<workgroup> kept: atomic<u32>;

// Orders as the numbers do.
fn key_of(low: f32) -> u32 {
    let bits = bitcast<u32>(low);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn low_of(key: u32) -> f32 {
    return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}

@compute @workgroup_size(WORKGROUP)
fn top_k(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let probe = workgroup.x;
    let list_at = probe * params.list_len_max;
    if (lane == 0u) {
        let found = progress[probe];
        let takes_part = u32(found.chunk == params.chunk);
        state = vec4<u32>(takes_part, found.list_len, found.kept_len, bitcast<u32>(found.theta));
        prefix = 0u;
        rank = params.k;
        atomicStore(&kept, 0u);
    }
    let before = workgroupUniformLoad(&state);
    if (before.x == 0u) {
        return;
    }
    let list_len = min(before.y, params.list_len_max);
    let overflowed = before.y > params.list_len_max;
    var theta = bitcast<f32>(before.w);

    // With fewer than k rows the k-th best is unknown.
    if (list_len >= params.k) {
        for (var digit = 0u; digit < 4u; digit += 1u) {
            let shift = 24u - digit * 8u;
            for (var bin = lane; bin < BINS; bin += WORKGROUP) {
                atomicStore(&histogram[bin], 0u);
            }
            let known = workgroupUniformLoad(&prefix);
            for (var at = lane; at < list_len; at += WORKGROUP) {
                let key = key_of(list[list_at + at].low);
                // A shift by 32 isn't defined, hence in two steps.
                if (((key >> shift) >> 8u) == known) {
                    atomicAdd(&histogram[(key >> shift) & 255u], 1u);
                }
            }
            let wanted = workgroupUniformLoad(&rank);
            for (var group = lane; group < BINS / GROUP_BINS; group += WORKGROUP) {
                var sum = 0u;
                for (var bin = 0u; bin < GROUP_BINS; bin += 1u) {
                    sum += atomicLoad(&histogram[group * GROUP_BINS + bin]);
                }
                groups[group] = sum;
            }
            workgroupBarrier();
            // The one bin in which the k-th largest is knows it by the counts above.
            for (var bin = lane; bin < BINS; bin += WORKGROUP) {
                let group = bin / GROUP_BINS;
                var above = 0u;
                for (var other = group + 1u; other < BINS / GROUP_BINS; other += 1u) {
                    above += groups[other];
                }
                for (var other = bin + 1u; other < (group + 1u) * GROUP_BINS; other += 1u) {
                    above += atomicLoad(&histogram[other]);
                }
                if (above < wanted && wanted <= above + atomicLoad(&histogram[bin])) {
                    rank = wanted - above;
                    prefix = known * 256u + bin;
                }
            }
            workgroupBarrier();
        }
        theta = max(theta, low_of(workgroupUniformLoad(&prefix)) - progress[probe].margin);
    }

    // Each round reads WORKGROUP places before it writes, and never writes beyond the places read:
    // nothing unread is overwritten.
    let compact_len = select(list_len, before.z, overflowed);
    for (var first = 0u; first < compact_len; first += WORKGROUP) {
        var found = DeviceHit(0u, 0, 0.0, 0.0);
        var keep = false;
        if (first + lane < compact_len) {
            found = list[list_at + first + lane];
            keep = found.z >= theta;
        }
        storageBarrier();
        workgroupBarrier();
        if (keep) {
            list[list_at + atomicAdd(&kept, 1u)] = found;
        }
    }
    workgroupBarrier();
    if (lane == 0u) {
        let kept_len = atomicLoad(&kept);
        progress[probe].theta = theta;
        progress[probe].chunk = select(params.chunk + 1u, params.chunk, overflowed);
        progress[probe].kept_len = kept_len;
        progress[probe].list_len = kept_len;
    }
}
