// Raises each probe's threshold to (k-th largest z so far) - margin and drops from its list what is below.
//
// One workgroup owns one probe. The k-th largest z is found by its bits, 8 at a time from the top, with a histogram; the list
// stays unsorted. It is compacted by the threshold and never by k: a row close below the k-th z may be above it in exact score.

override WORKGROUP: u32 = 256u;

const BINS: u32 = 256u;
// Above any z: nothing is appended any more.
const THETA_CLOSED: f32 = 4.0;

struct TopKParams {
    k: u32,
    // Places in one probe's list.
    list_len_max: u32,
    // Twice the error bound of z, and the rounding of one subtraction.
    margin: f32,
}

struct Progress {
    // Rows with z below it are proven to be out.
    theta: f32,
    // Rows offered to the list; more than list_len_max means that some were lost.
    list_len: u32,
    // Not 0 once rows were lost.
    overflowed: u32,
}

struct Found {
    row: u32,
    z: f32,
}

@group(0) @binding(0) var<uniform> params: TopKParams;
// [probe]
@group(0) @binding(1) var<storage, read_write> progress: array<Progress>;
// [probe][list_len_max]
@group(0) @binding(2) var<storage, read_write> list: array<Found>;

var<workgroup> offered: u32;
var<workgroup> histogram: array<atomic<u32>, BINS>;
// The bits of the k-th largest key that are known, and how many keys with these bits are still to be passed, itself included.
var<workgroup> prefix: u32;
var<workgroup> rank: u32;
var<workgroup> kept: atomic<u32>;

// Orders as the numbers do.
fn key_of(z: f32) -> u32 {
    let bits = bitcast<u32>(z);
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

fn z_of(key: u32) -> f32 {
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
        offered = progress[probe].list_len;
        prefix = 0u;
        rank = params.k;
        atomicStore(&kept, 0u);
    }
    let list_len = workgroupUniformLoad(&offered);
    if (list_len > params.list_len_max) {
        if (lane == 0u) {
            progress[probe].theta = THETA_CLOSED;
            progress[probe].list_len = 0u;
            progress[probe].overflowed = 1u;
        }
        return;
    }
    // Fewer than k rows so far: the k-th best is unknown and each row still counts.
    if (list_len < params.k) {
        return;
    }

    for (var digit = 0u; digit < 4u; digit += 1u) {
        let shift = 24u - digit * 8u;
        for (var bin = lane; bin < BINS; bin += WORKGROUP) {
            atomicStore(&histogram[bin], 0u);
        }
        let known = workgroupUniformLoad(&prefix);
        for (var at = lane; at < list_len; at += WORKGROUP) {
            let key = key_of(list[list_at + at].z);
            // A shift by 32 isn't defined, hence in two steps.
            if (((key >> shift) >> 8u) == known) {
                atomicAdd(&histogram[(key >> shift) & 255u], 1u);
            }
        }
        workgroupBarrier();
        if (lane == 0u) {
            var bin = BINS - 1u;
            var above = rank;
            var count = atomicLoad(&histogram[bin]);
            while (count < above && bin > 0u) {
                above -= count;
                bin -= 1u;
                count = atomicLoad(&histogram[bin]);
            }
            rank = above;
            prefix = known * 256u + bin;
        }
        workgroupBarrier();
    }
    let theta = z_of(workgroupUniformLoad(&prefix)) - params.margin;

    // Each round reads WORKGROUP places before it writes, and never writes beyond the places read: nothing unread is overwritten.
    for (var first = 0u; first < list_len; first += WORKGROUP) {
        var found = Found(0u, 0.0);
        var keep = false;
        if (first + lane < list_len) {
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
        progress[probe].theta = theta;
        progress[probe].list_len = atomicLoad(&kept);
    }
}
