// Scores one chunk of a segment's rows against tiles of 8 probes and appends every live row that may still count.
//
// One invocation owns one row, one workgroup one tile of probes: dispatch (rows / WORKGROUP, tiles). Every lane reads its row
// once for all 8 probes. A row is appended to a probe's list iff its bit in `live` is set and z >= theta; whatever is left out
// has been proven to be strictly below the k-th best (see the host file's error bound). Finite f32 only: no division.

override WORKGROUP: u32 = 64u;

// Rows that lie interleaved in memory, so that neighbouring lanes read neighbouring vec4.
const BLOCK_ROWS: u32 = 64u;
// Components staged at a time: 256 components x 8 probes x 4 bytes = 8 KiB, half of what every device has.
const SLICE_QUADS: u32 = 64u;

struct ScoreParams {
    // First row of the chunk and the one after its last, counted in the segment.
    row_first: u32,
    row_end: u32,
    // The gallery's index of the segment's row 0.
    row_base: u32,
    // vec4 of one row: D / 4, rounded up.
    quads: u32,
    // Places in one probe's list.
    list_len_max: u32,
}

struct Progress {
    // Rows with z below it are proven to be out.
    theta: f32,
    // Rows offered to the list; more than list_len_max means that some were lost.
    list_len: atomic<u32>,
    // Not 0 once rows were lost.
    overflowed: u32,
}

struct Found {
    row: u32,
    z: f32,
}

// The segment. rows: [row / 64][quads][row % 64], live: one bit a row.
@group(0) @binding(0) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> live: array<u32>;
// The pass. probes: [tile][4 quads][2], two vec4 with the same component of 8 probes; progress: [probe]; list: [probe][list_len_max].
@group(1) @binding(0) var<uniform> params: ScoreParams;
@group(1) @binding(1) var<storage, read> probes: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> progress: array<Progress>;
@group(1) @binding(3) var<storage, read_write> list: array<Found>;

var<workgroup> staged: array<vec4<f32>, SLICE_QUADS * 8u>;

fn offer(probe: u32, row: u32, z: f32) {
    if (z >= progress[probe].theta) {
        let at = atomicAdd(&progress[probe].list_len, 1u);
        if (at < params.list_len_max) {
            list[probe * params.list_len_max + at] = Found(params.row_base + row, z);
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn score(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = params.row_first + workgroup.x * WORKGROUP + lane;
    let tile = workgroup.y;
    let row_at = (row / BLOCK_ROWS) * params.quads * BLOCK_ROWS + row % BLOCK_ROWS;
    let tile_at = tile * params.quads * 8u;
    // z of probes 0 to 3 and 4 to 7 of the tile.
    var z_low = vec4<f32>();
    var z_high = vec4<f32>();
    for (var slice = 0u; slice < params.quads; slice += SLICE_QUADS) {
        let slice_quads = min(SLICE_QUADS, params.quads - slice);
        for (var at = lane; at < slice_quads * 8u; at += WORKGROUP) {
            staged[at] = probes[tile_at + slice * 8u + at];
        }
        workgroupBarrier();
        for (var quad = 0u; quad < slice_quads; quad += 1u) {
            let r = rows[row_at + (slice + quad) * BLOCK_ROWS];
            let q = quad * 8u;
            z_low += r.x * staged[q];
            z_high += r.x * staged[q + 1u];
            z_low += r.y * staged[q + 2u];
            z_high += r.y * staged[q + 3u];
            z_low += r.z * staged[q + 4u];
            z_high += r.z * staged[q + 5u];
            z_low += r.w * staged[q + 6u];
            z_high += r.w * staged[q + 7u];
        }
        // The next slice overwrites what other lanes may still read.
        workgroupBarrier();
    }
    if (row < params.row_end && ((live[row / 32u] >> (row % 32u)) & 1u) == 1u) {
        let probe = tile * 8u;
        offer(probe, row, z_low.x);
        offer(probe + 1u, row, z_low.y);
        offer(probe + 2u, row, z_low.z);
        offer(probe + 3u, row, z_low.w);
        offer(probe + 4u, row, z_high.x);
        offer(probe + 5u, row, z_high.y);
        offer(probe + 6u, row, z_high.z);
        offer(probe + 7u, row, z_high.w);
    }
}
