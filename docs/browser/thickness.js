// Neo4j Browser gives all edges of a type one width and shows numbers with all their digits. With this script the number
// in an edge's caption is its width too: the greatest number of each type in the picture is the widest edge, all others
// are in proportion. The managed server adds it to its Browser; in another one paste it into the developer console (F12).
(() => {
  const WIDEST = 10, THINNEST = 0.75; // pixels; an edge wider than its caption is high would have it inside
  const DIGITS = 3;
  const PROPERTY = /^\{([^{}]+)\}$/; // a caption that is one property

  const weigh = GraphStyleModel => class extends GraphStyleModel {
    constructor(...given) {
      super(...given);
      const { forRelationship, interpolate } = this;
      const greatest = {}; // by type, of all that this picture has shown
      this.interpolate = (caption, one) => {
        const text = interpolate(caption, one);
        return one.isRelationship && PROPERTY.test(caption) && text.trim() && isFinite(text)
          ? String(Number(Number(text).toPrecision(DIGITS))) : text;
      };
      this.forRelationship = edge => {
        const style = forRelationship(edge);
        const property = PROPERTY.exec(style.get("caption"));
        const weight = property && edge.propertyMap ? Number(edge.propertyMap[property[1]]) : NaN;
        if (weight > 0 && isFinite(weight)) {
          greatest[edge.type] = Math.max(greatest[edge.type] || 0, weight);
          const width = Math.max(THINNEST, WIDEST * weight / greatest[edge.type]);
          style.props = { ...style.props, "shaft-width": `${width.toFixed(2)}px` };
        }
        return style;
      };
    }
  };

  // Browser's parts are modules of webpack; the one that makes styles is taken before the first picture is drawn. Whatever
  // is not as expected there, Browser must go on as it is without this.
  const add = (own, _, require) => {
    for (const id of Object.keys(require.m)) {
      if (id === String(own.i) || !/\.GraphStyleModel=class/.test(require.m[id])) continue;
      try {
        const found = require(id);
        if (!found.GraphStyleModel.weighs) {
          found.GraphStyleModel = Object.assign(weigh(found.GraphStyleModel), { weighs: true });
        }
      } catch (error) {
        console.warn(`Twohop: edges have one width for each type (${error})`);
      }
    }
  };
  (window.webpackJsonp = window.webpackJsonp || []).push([["twohop"], { twohop: add }, [["twohop"]]]);
})();
