/** Spectral indices offered for a pixel's series when the product has their bands but not the index itself. */

/** Names that products give the same band. */
const ALIASES = { blue: ['blue'], green: ['green'], red: ['red'], nir: ['nir', 'nir08'], swir1: ['swir1', 'swir16', 'swir_1'], swir2: ['swir2', 'swir22', 'swir_2'] };

const INDICES = [
  { name: 'ndvi', needs: ['nir', 'red'], formula: '({nir}-{red})/({nir}+{red})' },
  { name: 'evi2', needs: ['nir', 'red'], formula: '2.5*({nir}-{red})/({nir}+2.4*{red}+1)' },
  { name: 'ndwi', needs: ['green', 'nir'], formula: '({green}-{nir})/({green}+{nir})' },
  { name: 'mndwi', needs: ['green', 'swir1'], formula: '({green}-{swir1})/({green}+{swir1})' },
  { name: 'ndmi', needs: ['nir', 'swir1'], formula: '({nir}-{swir1})/({nir}+{swir1})' },
  { name: 'ndbi', needs: ['swir1', 'nir'], formula: '({swir1}-{nir})/({swir1}+{nir})' },
  { name: 'nbr', needs: ['nir', 'swir2'], formula: '({nir}-{swir2})/({nir}+{swir2})' },
];

/**
 * @param {string[]} bands names of the product's bands
 * @returns {{name: string, expression: string}[]}
 */
export function indicesFor(bands) {
  const actual = (role) => ALIASES[role].find((name) => bands.includes(name));
  return INDICES.filter(({ name, needs }) => !bands.includes(name) && needs.every(actual)).map(({ name, formula }) => ({
    name,
    expression: formula.replace(/\{(\w+)\}/g, (_, role) => actual(role)),
  }));
}
